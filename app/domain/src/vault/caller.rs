//! Who asks the object of a workspace: a person who is signed in, or a key of the workspace.

use super::{
    Call,
    masters::ReadMasters,
    registry::{
        ChangeKey, ChangeSettings, CreateKey, DeleteKey, DuplicateKey, EndOldSecrets, ExplainCall, ListKeys,
        ReadDeleted, ReadKey, ReadSettings, ReadTrail, RestoreKey, RotateKey,
    },
    transfer::{FinishImport, ReadExport, StageImport},
};
use crate::{account::PersonId, audit::ActorId, digest::SecretHash, locator::Locator};
use core::net::IpAddr;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Who asks.
///
/// A person is written as their id alone, as it was before keys could ask; a key as `key:`, its id, the hash of the
/// secret and the address, which may be empty, with colons between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person whose session is good.
    Person(PersonId),
    /// Whoever sent a key. That it is good is found out by the object itself, at the moment of the question.
    Key(KeyCaller),
}

/// A key that was sent, as much of it as proves who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCaller {
    /// Its public name.
    pub id: Locator,
    /// Hash of the secret that was sent.
    pub secret: SecretHash,
    /// The sender's network address, as the platform saw it.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// What the caller is called in the audit trail.
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

/// What tells a key from a person.
const KEY: &str = "key:";

// One text, whoever asks: all questions hold it, and an object would be written and read anew in each of them.
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

/// A question that somebody asks of the object of a workspace.
pub trait Asked: Call {
    /// Who asks.
    fn caller(&self) -> &Caller;
}

macro_rules! asked {
    ($($call:ident: $($field:ident).+;)*) => {
        $(impl Asked for $call {
            fn caller(&self) -> &Caller {
                &self.$($field).+
            }
        })*
    };
}

asked! {
    CreateKey: origin.caller;
    DuplicateKey: origin.caller;
    ListKeys: caller;
    ReadKey: caller;
    ReadDeleted: caller;
    ExplainCall: caller;
    ChangeKey: origin.caller;
    DeleteKey: origin.caller;
    RestoreKey: origin.caller;
    RotateKey: origin.caller;
    EndOldSecrets: origin.caller;
    ReadSettings: caller;
    ChangeSettings: origin.caller;
    ReadTrail: caller;
    ReadMasters: caller;
    ReadExport: origin.caller;
    StageImport: origin.caller;
    FinishImport: origin.caller;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Origin;

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
