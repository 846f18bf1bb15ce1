//! Who gives the commands of the walk, and what each of them may, in the plainest words: the owner everything, a key
//! what stands in its scopes.

use super::{
    Walk,
    model::{Change, Key, Model, Said},
};
use crate::{
    answer::Done,
    registry::{
        callers::admit,
        testing::{OWNER, keyring, origin},
    },
};
use ownchat_domain::{
    digest::SecretHash,
    locator::Locator,
    time::Timestamp,
    vault::{Caller, KeyCaller, Origin},
    verdict::Code,
};

/// Scopes that keys of the walk have: some to give, and those of keys that look after keys.
pub const SCOPES: [&str; 6] =
    ["contacts:read", "contacts:write", "messages:send", "messages:read", "keys:self", "keys:write"];

/// Networks that keys of the walk are kept to, with an address in each of them.
pub const NETWORKS: [(&str, &str); 2] = [("203.0.113.0/24", "203.0.113.5"), ("2001:db8::/32", "2001:db8::5")];

/// An address in none of them.
const ELSEWHERE: &str = "192.0.2.1";

/// Who gives a command.
#[derive(Clone, Copy)]
pub enum Asker {
    Owner,
    /// A key, with the secret of this number, from this address.
    Key {
        id: Locator,
        secret: usize,
        address: &'static str,
    },
}

impl Asker {
    /// What it is called in the trail.
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

/// Hash of the secret of this number: the number is all that tells the secrets of a key from each other.
pub fn secret_of(number: usize) -> SecretHash {
    SecretHash::from_bytes([u8::try_from(number).unwrap_or(u8::MAX); 32])
}

impl Walk {
    /// Somebody who gives the next command: the owner, or a key, mostly one that is heard.
    pub(super) fn asker(&mut self) -> Asker {
        if self.dice.roll(2) == 0 {
            return Asker::Owner;
        }
        let live: Vec<Locator> = self.model.keys.iter().filter(|(_, key)| key.is_live()).map(|(id, _)| *id).collect();
        let id = if live.is_empty() || self.dice.roll(8) == 0 { self.any().0 } else { self.dice.pick(&live) };
        let (newest, allow) = self.model.keys.get(&id).map_or((1, &[][..]), |key| (key.newest(), &key.allow));
        let suits = NETWORKS.iter().find(|(network, _)| allow.iter().any(|it| it == network));
        let suits = suits.map_or(ELSEWHERE, |(_, inside)| *inside);
        let secret = match self.dice.roll(8) {
            0 => newest.saturating_sub(1),
            1 => newest + 1,
            _ => newest,
        };
        let address = if self.dice.roll(8) == 0 { self.dice.pick(&[NETWORKS[0].1, ELSEWHERE]) } else { suits };
        Asker::Key { id, secret, address }
    }

    /// Gives a command as the asker of this step, as the registry takes it from outside.
    pub(super) fn asking<T>(&self, command: impl FnOnce(Origin) -> Done<T>) -> Done<T> {
        let caller = self.model.asker.caller();
        admit(&self.database, &keyring(), &caller, self.now)?;
        command(origin(caller))
    }
}

/// What somebody wants to do to a key.
pub enum Deed<'a> {
    /// Give it a new secret.
    Rotate,
    /// End its old ones.
    EndOldSecrets,
    Change(&'a Change),
    Delete,
    /// Take it back from deletion.
    Restore,
}

impl Model {
    /// Whether the asker of this step is heard at all.
    pub fn is_heard(&self, now: Timestamp) -> Result<(), Said> {
        let Asker::Key { id, secret, address } = self.asker else { return Ok(()) };
        let refused = |code| Err(Said::Refused(code));
        let Some(key) = self.keys.get(&id) else { return refused(Code::UnknownKey) };
        let Some(ends) = secret.checked_sub(1).and_then(|place| key.secrets.get(place)) else {
            return refused(Code::UnknownKey);
        };
        let over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
        if self.settings.1 {
            refused(Code::WorkspaceSuspended)
        } else if key.deleted_at.is_some() {
            refused(Code::UnknownKey)
        } else if !key.active {
            refused(Code::Inactive)
        } else if over(key.end) || over(*ends) {
            refused(Code::Expired)
        } else if !is_within(&key.allow, address) {
            refused(Code::AddressForbidden)
        } else {
            Ok(())
        }
    }

    /// Whether the asker may make keys.
    pub fn may_make(&self, now: Timestamp) -> Result<(), Said> {
        self.is_heard(now)?;
        if self.holds("keys:write") { Ok(()) } else { Err(Said::Lacks("keys:write")) }
    }

    /// Whether the asker sees this key.
    pub fn sees(&self, id: Locator) -> bool {
        self.holds("keys:write") || (self.holds("keys:self") && self.is_asker(id))
    }

    /// Whether the asker may do this to a key that is there.
    pub fn may(&self, deed: &Deed<'_>, id: Locator, before: &Key) -> Result<(), Said> {
        let Asker::Key { .. } = self.asker else { return Ok(()) };
        if !self.sees(id) {
            return Err(Said::NotFound);
        }
        let itself = self.is_asker(id) && self.holds("keys:self");
        let of_itself =
            matches!(deed, Deed::Rotate | Deed::EndOldSecrets | Deed::Change(Change::Status(false, _))) && itself;
        if !of_itself && !self.holds("keys:write") {
            let is_small = matches!(deed, Deed::Rotate | Deed::EndOldSecrets | Deed::Change(Change::Status(false, _)));
            return Err(Said::Lacks(if is_small && self.is_asker(id) { "keys:self" } else { "keys:write" }));
        }
        match deed {
            Deed::Rotate if itself => Ok(()),
            Deed::Rotate | Deed::Restore => self.may_give(before),
            Deed::EndOldSecrets | Deed::Delete => Ok(()),
            Deed::Change(change) => match before.given_by(change) {
                Some(_) if matches!(change, Change::Wrong) => Err(Said::Invalid),
                Some(after) => self.may_give(&after),
                None => Ok(()),
            },
        }
    }

    /// Whether the asker has all that they would give. No key gives the power over keys, nor more freedom than it has.
    pub fn may_give(&self, given: &Key) -> Result<(), Said> {
        let Asker::Key { id, .. } = self.asker else { return Ok(()) };
        let Some(own) = self.keys.get(&id) else { return Ok(()) };
        if !given.scopes.iter().all(|scope| scope != "keys:write" && self.holds(scope)) {
            return Err(Said::NotHeld);
        }
        let from_where = own.allow.is_empty() || own.allow == given.allow;
        let until_when = own.end.is_none_or(|own| given.end.is_some_and(|end| end <= own));
        if from_where && until_when { Ok(()) } else { Err(Said::Beyond) }
    }

    /// Whoever edits contacts reads them.
    fn holds(&self, scope: &str) -> bool {
        let Asker::Key { id, .. } = self.asker else { return true };
        let held = |scope: &str| self.keys.get(&id).is_some_and(|key| key.scopes.contains(scope));
        held(scope) || (scope == "contacts:read" && held("contacts:write"))
    }

    fn is_asker(&self, key: Locator) -> bool {
        matches!(self.asker, Asker::Key { id, .. } if id == key)
    }
}

/// Whether an address may be used with these networks; any may, if there are none.
fn is_within(allow: &[String], address: &str) -> bool {
    allow.is_empty()
        || NETWORKS.iter().any(|(network, inside)| *inside == address && allow.iter().any(|it| it == network))
}
