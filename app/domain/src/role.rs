//! Who may do what: roles, the scopes that they hold, and the one rule for every command.
//!
//! | role | holds | keys |
//! | --- | --- | --- |
//! | owner | everything | reads and manages all |
//! | admin | everything but [`OWNERS_ONLY`] | reads and manages all |
//! | developer | what integrations need: everything but [`OWNERS_ONLY`] and [`NOT_FOR_DEVELOPERS`] | makes keys, reads and manages those that it made |
//! | viewer | reading: [`FOR_VIEWERS`] | reads all |
//!
//! Nobody gives a key what they do not hold themselves, and nobody who may not see a key learns that it exists. A key that
//! gives commands has only its scopes: none of them stands for another one, but write for read.

mod grant;
mod reach;

pub use grant::{FULL_ACCESS_MAX, Grant};

use crate::{account::PersonId, failure::Failure, key::Details, locator::Locator, scope::ScopeSet, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Scopes that owners alone hold.
pub const OWNERS_ONLY: [&str; 2] = ["account:write", "billing:read"];
/// Scopes that developers do not hold beyond that: what is about the workspace and not about an integration.
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

/// What somebody is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To whom it belongs.
    Owner,
    /// Who runs it.
    Admin,
    /// Who integrates with it.
    Developer,
    /// Who looks on.
    Viewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What it holds.
    pub fn scopes(self) -> ScopeSet {
        match self {
            Self::Owner => ScopeSet::full(),
            Self::Admin => ScopeSet::full().without(&OWNERS_ONLY),
            Self::Developer => ScopeSet::full().without(&OWNERS_ONLY).without(&NOT_FOR_DEVELOPERS),
            Self::Viewer => ScopeSet::from_names(FOR_VIEWERS).unwrap_or_default(),
        }
    }
}

/// Scopes without which no key takes the workspace out into a file: the file holds settings, keys and trail.
const OF_A_FILE: &[&str] = &["account:write", "keys:read", "audit:read"];

/// Who gives a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A member of the workspace.
    Person(PersonId, Role),
    /// A key of the workspace, with what is said of it.
    Key(Locator, Box<Details>),
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Reads one key, or asks what the edge would say to it.
    ReadKey,
    /// Makes a key.
    CreateKey,
    /// Changes a key.
    ChangeKey,
    /// Switches a key off, and changes nothing else of it.
    DeactivateKey,
    /// Gives a key a new secret.
    RotateKey,
    /// Ends the old secrets of a key.
    EndOldSecrets,
    /// Deletes a key.
    DeleteKey,
    /// Undoes a deletion.
    RestoreKey,
    /// Reads the settings of the workspace.
    ReadSettings,
    /// Changes them.
    ChangeSettings,
    /// Reads under which master secrets things were made.
    ReadMasters,
    /// Takes the whole workspace out into a file, or fills it from one.
    MoveWorkspace,
    /// Reads lines of the audit trail; those about one key, if one is named.
    ReadTrail,
}

/// What counts of the key that a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its id.
    pub id: Locator,
    /// Who made it, if that is known.
    pub owner: Option<PersonId>,
}

/// Which keys somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of the workspace.
    All,
    /// Those that this person made.
    Of(PersonId),
    /// This one.
    One(Locator),
    /// None.
    Nothing,
}

impl Principal {
    /// What this principal holds.
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

    /// Which keys this principal sees.
    pub fn sight(&self) -> Sight {
        match self {
            _ if self.holds("keys:read") => Sight::All,
            Self::Person(person, Role::Developer) => Sight::Of(*person),
            Self::Key(id, _) if self.holds("keys:self") => Sight::One(*id),
            _ => Sight::Nothing,
        }
    }

    fn sees(&self, key: &Subject) -> bool {
        match self.sight() {
            Sight::All => true,
            Sight::Of(person) => key.owner == Some(person),
            Sight::One(id) => key.id == id,
            Sight::Nothing => false,
        }
    }

    /// Whether this is the key itself.
    fn is(&self, key: &Subject) -> bool {
        matches!(self, Self::Key(id, _) if *id == key.id)
    }

    /// The refusal of a command that this principal lacks the right to. Of a key it says with which scopes it would
    /// have it; what people may do is decided by their role.
    fn lacks(&self, command: Command, key: Option<&Subject>) -> Failure {
        let Self::Key(_, details) = self else { return Failure::Forbidden };
        let itself = key.is_some_and(|key| self.is(key));
        let scopes: &[&str] = match command {
            Command::DeactivateKey | Command::RotateKey | Command::EndOldSecrets if itself => &["keys:self"],
            Command::ReadKey => &["keys:read"],
            Command::CreateKey
            | Command::ChangeKey
            | Command::DeactivateKey
            | Command::RotateKey
            | Command::EndOldSecrets
            | Command::DeleteKey
            | Command::RestoreKey => &["keys:write"],
            Command::ReadSettings => &["account:read"],
            Command::ChangeSettings | Command::ReadMasters => &["account:write"],
            Command::MoveWorkspace => OF_A_FILE,
            Command::ReadTrail => &["audit:read"],
        };
        match ScopeSet::from_names(scopes.iter().copied()) {
            Ok(required) => Failure::ScopeMissing { required, granted: details.scopes },
            Err(_) => Failure::Forbidden,
        }
    }

    /// Which keys this principal may list.
    pub fn listed(&self) -> Result<Sight, Failure> {
        match self.sight() {
            Sight::Nothing => Err(self.lacks(Command::ReadKey, None)),
            sight => Ok(sight),
        }
    }
}

/// The rule for every command: whether `principal` may do this to `key`, and give it what `grant` says. Without a
/// grant it tells whether the command may be tried at all.
pub fn allow(
    principal: &Principal,
    command: Command,
    key: Option<&Subject>,
    grant: Option<&Grant<'_>>,
    now: Timestamp,
) -> Result<(), Failure> {
    let reads_all = command == Command::ReadTrail && principal.holds("audit:read");
    if key.is_some_and(|key| !principal.sees(key)) && !reads_all {
        return Err(Failure::NotFound);
    }
    let itself = principal.holds("keys:self") && key.is_some_and(|key| principal.is(key));
    let manages = principal.holds("keys:write")
        || matches!((principal, key), (Principal::Person(_, Role::Developer), None))
        || matches!((principal, key), (Principal::Person(person, Role::Developer), Some(key)) if key.owner == Some(*person));
    let may = match command {
        Command::ReadKey => key.is_some(),
        Command::CreateKey | Command::ChangeKey | Command::DeleteKey | Command::RestoreKey => manages,
        Command::DeactivateKey | Command::RotateKey | Command::EndOldSecrets => manages || itself,
        Command::ReadSettings => principal.holds("account:read"),
        Command::ChangeSettings | Command::ReadMasters => principal.holds("account:write"),
        Command::MoveWorkspace => principal.holds_all(OF_A_FILE),
        Command::ReadTrail => reads_all || (key.is_some() && manages && matches!(principal, Principal::Person(..))),
    };
    if !may {
        return Err(principal.lacks(command, key));
    }
    match grant {
        // A key that changes its own secret gets nothing that it did not have.
        Some(grant) if !(itself && command == Command::RotateKey) => grant.check(principal, now),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
