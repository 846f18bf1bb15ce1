//! Callers of a workspace's object: a signed-in person or an API key of the workspace.

use super::Command;
use crate::{account::PersonId, audit::ActorId, digest::SecretHash, locator::Locator};
use core::net::IpAddr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The caller of a command.
///
/// A person serialises as the id alone, the form from before keys could be callers. A key
/// serialises as `key:ID:SECRET_HASH:ADDRESS`; the address may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person with a valid session.
    Person(PersonId),
    /// The holder of a key. The object itself verifies the key when it handles the command.
    Key(KeyCaller),
}

/// The identity and the proof of a key caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCaller {
    /// Locator of the key.
    pub id: Locator,
    /// Hash of the presented secret.
    pub secret: SecretHash,
    /// Client IP address as the platform reports it.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// Returns the actor for the audit trail.
    pub const fn actor(&self) -> ActorId {
        match self {
            Self::Person(person) => ActorId::Person(*person),
            Self::Key(key) => ActorId::Key(key.id),
        }
    }
}

impl Caller {
    fn text(&self) -> String {
        match self {
            Self::Person(person) => person.to_string(),
            Self::Key(KeyCaller { id, secret, address }) => {
                let address = address.map(|address| address.to_string()).unwrap_or_default();
                format!("{KEY}{id}:{}:{address}", secret.text())
            }
        }
    }

    fn of_text(text: &str) -> Option<Self> {
        let Some(key) = text.strip_prefix(KEY) else { return text.parse().ok().map(Self::Person) };
        let mut parts = key.splitn(3, ':');
        let (id, secret, address) = (parts.next()?.parse().ok()?, SecretHash::of_text(parts.next()?)?, parts.next()?);
        let address = if address.is_empty() { None } else { Some(address.parse().ok()?) };
        Some(Self::Key(KeyCaller { id, secret, address }))
    }
}

/// Prefix of a serialised key caller.
const KEY: &str = "key:";

// Every command holds a caller. One text form avoids (de)serialisation code for an object in each.
impl Serialize for Caller {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Caller {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of_text(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("nobody who can ask"))
    }
}

impl From<PersonId> for Caller {
    fn from(person: PersonId) -> Self {
        Self::Person(person)
    }
}

/// A command that names its caller.
pub trait WithCaller: Command {
    /// Returns the caller of the command.
    fn caller(&self) -> &Caller;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{Origin, registry::ReadKey};

    #[test]
    fn a_person_is_written_as_before() {
        let id = "JCgnh3DhfKRFKbvX".parse().unwrap();
        let before = r#"{"person":"0000000000000007","id":"JCgnh3DhfKRFKbvX"}"#;
        let call = ReadKey { caller: PersonId(7).into(), id };
        assert_eq!(serde_json::to_string(&call).unwrap(), before);
        assert_eq!(serde_json::from_str::<ReadKey>(before).unwrap().caller, Caller::Person(PersonId(7)));
        let before = r#"{"person":"0000000000000007","address":"192.0.2.1","request_id":"r1"}"#;
        let origin = Origin { caller: PersonId(7).into(), address: "192.0.2.1".into(), request_id: "r1".into() };
        assert_eq!(serde_json::to_string(&origin).unwrap(), before);
        assert_eq!(serde_json::from_str::<Origin>(before).unwrap(), origin);
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        for address in [None, "2001:db8::1".parse().ok()] {
            let id = "JCgnh3DhfKRFKbvX".parse().unwrap();
            let caller = Caller::Key(KeyCaller { id, secret: SecretHash::from_bytes([3; 32]), address });
            let text = serde_json::to_string(&caller).unwrap();
            assert_eq!(serde_json::from_str::<Caller>(&text).unwrap(), caller);
            assert_eq!(caller.actor().to_string(), "key:JCgnh3DhfKRFKbvX");
        }
        for text in ["JCgnh3DhfKRFKbvX", "key:JCgnh3DhfKRFKbvX", "key:JCgnh3DhfKRFKbvX::", ""] {
            assert!(serde_json::from_str::<Caller>(&format!("\"{text}\"")).is_err(), "{text}: no secret, nobody");
        }
    }
}
