//! Authorization of commands: roles, their scopes, and one rule for every command.
//!
//! | role | scopes | keys |
//! | --- | --- | --- |
//! | owner | all | reads and manages all |
//! | admin | all but [`OWNERS_ONLY`] | reads and manages all |
//! | developer | all but [`OWNERS_ONLY`], [`NOT_FOR_DEVELOPERS`] | creates keys, manages its own |
//! | viewer | [`FOR_VIEWERS`] | reads all |
//!
//! No principal grants a key scopes that it does not hold itself. A principal that may not see a
//! key gets “not found”, so a response never reveals the key. A key as principal has only its own
//! scopes. No scope implies another one, except that write implies read.

mod grant;
mod reach;

pub use grant::{FULL_ACCESS_MAX, Grant};

use crate::{account::PersonId, failure::Failure, key::Details, locator::Locator, scope::ScopeSet, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Scopes that only owners hold.
pub const OWNERS_ONLY: [&str; 2] = ["account:write", "billing:read"];
/// Scopes that developers lack in addition: they concern the workspace, not an integration.
pub const NOT_FOR_DEVELOPERS: [&str; 4] = ["team:write", "audit:read", "keys:read", "keys:write"];
/// Scopes that viewers hold.
pub const FOR_VIEWERS: [&str; 15] = [
    "contacts:read",
    "conversations:read",
    "messages:read",
    "templates:read",
    "campaigns:read",
    "media:read",
    "channels:read",
    "automations:read",
    "webhooks:read",
    "events:read",
    "analytics:read",
    "team:read",
    "account:read",
    "audit:read",
    "keys:read",
];

/// Role of a member in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Owns the workspace.
    Owner,
    /// Administers the workspace.
    Admin,
    /// Builds integrations.
    Developer,
    /// Has read-only access.
    Viewer,
}

impl Role {
    /// All roles, from most to fewest rights.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// Name of the role, as stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// Parses the name of a role.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Scopes of the role.
    pub fn scopes(self) -> ScopeSet {
        match self {
            Self::Owner => ScopeSet::full(),
            Self::Admin => ScopeSet::full().without(&OWNERS_ONLY),
            Self::Developer => ScopeSet::full().without(&OWNERS_ONLY).without(&NOT_FOR_DEVELOPERS),
            Self::Viewer => ScopeSet::from_names(FOR_VIEWERS).unwrap_or_default(),
        }
    }
}

/// Scopes that [`Operation::MoveWorkspace`] needs: the file holds settings, keys and audit trail.
const OF_A_FILE: &[&str] = &["account:write", "keys:read", "audit:read"];

/// The issuer of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member of the workspace.
    Person(PersonId, Role),
    /// A key of the workspace, with its details.
    Key(Locator, Box<Details>),
}

/// An operation on a key or on the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reads one key, or explains the edge's verdict on it.
    ReadKey,
    /// Creates a key.
    CreateKey,
    /// Changes a key.
    ChangeKey,
    /// Deactivates a key and changes nothing else.
    DeactivateKey,
    /// Creates a new secret for a key.
    RotateKey,
    /// Ends the old secrets of a key.
    EndOldSecrets,
    /// Deletes a key.
    DeleteKey,
    /// Undoes a deletion.
    RestoreKey,
    /// Reads the settings of the workspace.
    ReadSettings,
    /// Changes the settings of the workspace.
    ChangeSettings,
    /// Reads which master secrets are in use.
    ReadMasters,
    /// Exports the whole workspace to a file, or imports it from one.
    MoveWorkspace,
    /// Reads entries of the audit trail; only those about one key, if one is named.
    ReadTrail,
}

/// The key that a command targets, as far as authorization needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetKey {
    /// Locator of the key.
    pub id: Locator,
    /// The member who created the key, if known.
    pub owner: Option<PersonId>,
}

/// The set of keys that a principal can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// All keys of the workspace.
    All,
    /// Keys that this member created.
    Of(PersonId),
    /// This key only.
    One(Locator),
    /// No key.
    Nothing,
}

impl Actor {
    /// Scopes that this principal holds.
    pub fn scopes(&self) -> ScopeSet {
        match self {
            Self::Person(_, role) => role.scopes(),
            Self::Key(_, details) => details.scopes,
        }
    }

    fn holds(&self, scope: &str) -> bool {
        self.holds_all(&[scope])
    }

    fn holds_all(&self, scopes: &[&str]) -> bool {
        ScopeSet::from_names(scopes.iter().copied()).is_ok_and(|scopes| self.scopes().allows_all(scopes))
    }

    /// Returns the set of keys that this principal can see.
    pub fn sight(&self) -> Visibility {
        match self {
            _ if self.holds("keys:read") => Visibility::All,
            Self::Person(person, Role::Developer) => Visibility::Of(*person),
            Self::Key(id, _) if self.holds("keys:self") => Visibility::One(*id),
            _ => Visibility::Nothing,
        }
    }

    fn sees(&self, key: &TargetKey) -> bool {
        match self.sight() {
            Visibility::All => true,
            Visibility::Of(person) => key.owner == Some(person),
            Visibility::One(id) => key.id == id,
            Visibility::Nothing => false,
        }
    }

    /// Returns true if the principal is this key itself.
    fn is(&self, key: &TargetKey) -> bool {
        matches!(self, Self::Key(id, _) if *id == key.id)
    }

    /// Builds the refusal of a command that this principal may not run. For a key, the refusal
    /// names the required scopes. A member's rights follow from the role, so it names none.
    fn lacks(&self, command: Operation, key: Option<&TargetKey>) -> Failure {
        let Self::Key(_, details) = self else { return Failure::Forbidden };
        let itself = key.is_some_and(|key| self.is(key));
        let scopes: &[&str] = match command {
            Operation::DeactivateKey | Operation::RotateKey | Operation::EndOldSecrets if itself => &["keys:self"],
            Operation::ReadKey => &["keys:read"],
            Operation::CreateKey
            | Operation::ChangeKey
            | Operation::DeactivateKey
            | Operation::RotateKey
            | Operation::EndOldSecrets
            | Operation::DeleteKey
            | Operation::RestoreKey => &["keys:write"],
            Operation::ReadSettings => &["account:read"],
            Operation::ChangeSettings | Operation::ReadMasters => &["account:write"],
            Operation::MoveWorkspace => OF_A_FILE,
            Operation::ReadTrail => &["audit:read"],
        };
        match ScopeSet::from_names(scopes.iter().copied()) {
            Ok(required) => Failure::ScopeMissing { required, granted: details.scopes },
            Err(_) => Failure::Forbidden,
        }
    }

    /// Returns the set of keys that this principal may list.
    ///
    /// # Errors
    ///
    /// Returns the refusal if the principal can see no key.
    pub fn listed(&self) -> Result<Visibility, Failure> {
        match self.sight() {
            Visibility::Nothing => Err(self.lacks(Operation::ReadKey, None)),
            sight => Ok(sight),
        }
    }
}

/// Authorizes a command: may `principal` run it on `key`, and give the key `grant`? Without a
/// grant, checks only that the principal may attempt the command.
///
/// # Errors
///
/// Returns [`Failure::NotFound`] if the principal cannot see the key. Otherwise returns the refusal
/// of the command or of the grant.
pub fn allow(
    principal: &Actor,
    command: Operation,
    key: Option<&TargetKey>,
    grant: Option<&Grant<'_>>,
    now: Timestamp,
) -> Result<(), Failure> {
    let reads_all = command == Operation::ReadTrail && principal.holds("audit:read");
    if key.is_some_and(|key| !principal.sees(key)) && !reads_all {
        return Err(Failure::NotFound);
    }
    let itself = principal.holds("keys:self") && key.is_some_and(|key| principal.is(key));
    let manages = principal.holds("keys:write")
        || matches!((principal, key), (Actor::Person(_, Role::Developer), None))
        || matches!((principal, key), (Actor::Person(person, Role::Developer), Some(key)) if key.owner == Some(*person));
    let may = match command {
        Operation::ReadKey => key.is_some(),
        Operation::CreateKey | Operation::ChangeKey | Operation::DeleteKey | Operation::RestoreKey => manages,
        Operation::DeactivateKey | Operation::RotateKey | Operation::EndOldSecrets => manages || itself,
        Operation::ReadSettings => principal.holds("account:read"),
        Operation::ChangeSettings | Operation::ReadMasters => principal.holds("account:write"),
        Operation::MoveWorkspace => principal.holds_all(OF_A_FILE),
        Operation::ReadTrail => reads_all || (key.is_some() && manages && matches!(principal, Actor::Person(..))),
    };
    if !may {
        return Err(principal.lacks(command, key));
    }
    match grant {
        // A key that rotates its own secret gains no rights, so its grant needs no check.
        Some(grant) if !(itself && command == Operation::RotateKey) => grant.check(principal, now),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
