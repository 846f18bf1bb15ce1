//! Callers of the random walk, and a plain model of their rights: the owner may do everything, a
//! key what its scopes say.

use super::{
    Walk,
    edit::Edit,
    key::ModelKey,
    model::{Expected, Model},
};
use crate::{
    registry::{
        authenticate::authenticate,
        testing::{OWNER, keyring, origin},
    },
    rpc::CommandResult,
};
use ownchat_domain::{
    digest::SecretHash,
    locator::Locator,
    time::Timestamp,
    vault::{Caller, KeyCaller, Origin},
    verdict::Code,
};

/// Scopes of the walk's keys: some to grant, and those that manage keys.
pub const SCOPES: [&str; 6] =
    ["contacts:read", "contacts:write", "messages:send", "messages:read", "keys:self", "keys:write"];

/// Networks that keys of the walk allow or deny, with all the walk's client IPs in them.
pub const NETWORKS: [(&str, &[&str]); 3] = [
    ("203.0.113.0/24", &["203.0.113.5", "203.0.113.66"]),
    ("203.0.113.66", &["203.0.113.66"]),
    ("2001:db8::/32", &["2001:db8::5"]),
];

/// All client IPs of the walk.
const ADDRESSES: [&str; 4] = ["203.0.113.5", "203.0.113.66", "2001:db8::5", ELSEWHERE];

/// A client IP in none of the networks.
const ELSEWHERE: &str = "192.0.2.1";

/// The caller of a command.
#[derive(Clone, Copy)]
pub enum ModelCaller {
    Owner,
    /// A key, with the number of the presented secret and the client IP.
    Key {
        id: Locator,
        secret: usize,
        address: &'static str,
    },
}

impl ModelCaller {
    /// Returns the caller's name in the trail.
    pub fn actor(self) -> String {
        match self {
            Self::Owner => OWNER.to_string(),
            Self::Key { id, .. } => format!("key:{id}"),
        }
    }

    fn caller(self) -> Caller {
        match self {
            Self::Owner => OWNER.into(),
            Self::Key { id, secret, address } => {
                Caller::Key(KeyCaller { id, secret: secret_of(secret), address: address.parse().ok() })
            }
        }
    }
}

/// Returns the secret hash of a number. Only the number distinguishes the secrets of a key.
pub fn secret_of(number: usize) -> SecretHash {
    SecretHash::from_bytes([u8::try_from(number).unwrap_or(u8::MAX); 32])
}

impl Walk {
    /// Picks the next caller: the owner, or a key, mostly one that authenticates.
    pub(super) fn pick_caller(&mut self) -> ModelCaller {
        if self.rng.below(2) == 0 {
            return ModelCaller::Owner;
        }
        let live = self.model.keys_that(ModelKey::is_live);
        let id = if live.is_empty() || self.rng.below(8) == 0 { self.any_key().0 } else { self.rng.pick(&live) };
        let key = self.model.keys.get(&id);
        let newest = key.map_or(1, ModelKey::newest);
        let suits = ADDRESSES.into_iter().find(|address| key.is_some_and(|key| key.accepts_address(address)));
        let secret = match self.rng.below(8) {
            0 => newest.saturating_sub(1),
            1 => newest + 1,
            _ => newest,
        };
        let address = if self.rng.below(8) == 0 { self.rng.pick(&ADDRESSES) } else { suits.unwrap_or(ELSEWHERE) };
        ModelCaller::Key { id, secret, address }
    }

    /// Runs a command as the caller of this step, with authentication as for an outside request.
    pub(super) fn as_caller<T>(&self, command: impl FnOnce(Origin) -> CommandResult<T>) -> CommandResult<T> {
        let caller = self.model.caller.caller();
        authenticate(&self.database, &keyring(), &caller, self.now)?;
        command(origin(caller))
    }
}

/// A command on a key.
pub enum ModelCommand<'a> {
    Rotate,
    EndOldSecrets,
    Edit(&'a Edit),
    Delete,
    Restore,
}

impl Model {
    /// Authenticates the caller of this step.
    pub fn authenticate(&self, now: Timestamp) -> Result<(), Expected> {
        let ModelCaller::Key { id, secret, address } = self.caller else { return Ok(()) };
        let refused = |code| Err(Expected::Refused(code));
        let Some(key) = self.keys.get(&id) else { return refused(Code::UnknownKey) };
        let Some(secret) = key.secrets.iter().find(|one| one.number == secret) else {
            return refused(Code::UnknownKey);
        };
        let over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        if self.settings.1 {
            refused(Code::WorkspaceSuspended)
        } else if key.deleted_at.is_some() {
            refused(Code::UnknownKey)
        } else if !key.active {
            refused(Code::Inactive)
        } else if key.begin.is_some_and(|begin| begin > now) {
            refused(Code::NotYetValid)
        } else if over(key.end) || over(secret.ends_at) {
            refused(Code::Expired)
        } else if !key.accepts_address(address) {
            refused(Code::AddressForbidden)
        } else {
            Ok(())
        }
    }

    /// Checks that the caller may create keys.
    pub fn may_create(&self, now: Timestamp) -> Result<(), Expected> {
        self.authenticate(now)?;
        if self.holds("keys:write") { Ok(()) } else { Err(Expected::Lacks("keys:write")) }
    }

    /// Returns true if the caller sees this key.
    pub fn sees(&self, id: Locator) -> bool {
        self.holds("keys:write") || (self.holds("keys:self") && self.is_caller(id))
    }

    /// Checks that the caller may run the command on a present key.
    pub fn may(&self, command: &ModelCommand<'_>, id: Locator, before: &ModelKey) -> Result<(), Expected> {
        let ModelCaller::Key { .. } = self.caller else { return Ok(()) };
        if !self.sees(id) {
            return Err(Expected::NotFound);
        }
        let itself = self.is_caller(id) && self.holds("keys:self");
        let is_allowed_to_itself = match command {
            ModelCommand::Rotate | ModelCommand::EndOldSecrets => true,
            ModelCommand::Edit(edit) => edit.only_switches_off(),
            ModelCommand::Delete | ModelCommand::Restore => false,
        };
        let may_try = self.holds("keys:write") || (is_allowed_to_itself && itself);
        if !may_try {
            return Err(Expected::Lacks(if is_allowed_to_itself && self.is_caller(id) {
                "keys:self"
            } else {
                "keys:write"
            }));
        }
        match command {
            ModelCommand::Rotate if itself => Ok(()),
            ModelCommand::Rotate | ModelCommand::Restore => self.may_give(before),
            ModelCommand::EndOldSecrets | ModelCommand::Delete => Ok(()),
            ModelCommand::Edit(edit) => {
                let after = before.after(edit).ok_or(Expected::Invalid)?;
                let gives = (after.active && !before.active) || after.is_narrowed_by(before);
                if gives { self.may_give(&after) } else { Ok(()) }
            }
        }
    }

    /// Checks that the caller holds all that it would grant. No key grants `keys:write`, or more
    /// freedom than it has.
    pub fn may_give(&self, given: &ModelKey) -> Result<(), Expected> {
        let ModelCaller::Key { id, .. } = self.caller else { return Ok(()) };
        let Some(own) = self.keys.get(&id) else { return Ok(()) };
        if !given.scopes.iter().all(|scope| scope != "keys:write" && self.holds(scope)) {
            return Err(Expected::NotHeld);
        }
        let there = own.environment == given.environment && !given.loses_channels(own) && !given.loses_addresses(own);
        let until_then = own.end.is_none_or(|own| given.end.is_some_and(|end| end <= own));
        if there && until_then { Ok(()) } else { Err(Expected::Beyond) }
    }

    fn holds(&self, scope: &str) -> bool {
        let ModelCaller::Key { id, .. } = self.caller else { return true };
        self.keys.get(&id).is_some_and(|key| key.grants(scope))
    }

    fn is_caller(&self, key: Locator) -> bool {
        matches!(self.caller, ModelCaller::Key { id, .. } if id == key)
    }
}
