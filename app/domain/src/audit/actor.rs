//! Actor of an audit line: a person or a key.

use crate::{account::PersonId, locator::Locator};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A person or a key, with a distinct text form each.
///
/// The text is the account id, or `key:` and the key id. Both ids have 16 characters. No text is
/// valid as both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorId {
    /// A person with a session.
    Person(PersonId),
    /// A caller with this key.
    Key(Locator),
}

const KEY: &str = "key:";

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => person.fmt(f),
            Self::Key(id) => write!(f, "{KEY}{id}"),
        }
    }
}

/// The text names no actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An actor is the id of an account, or key: and the id of a key.")]
pub struct NotAnActor;

impl FromStr for ActorId {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
        match text.strip_prefix(KEY) {
            Some(id) => id.parse().map(Self::Key).map_err(|_| NotAnActor),
            None => text.parse().map(Self::Person).map_err(|()| NotAnActor),
        }
    }
}

impl Serialize for ActorId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActorId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_taken_for_somebody_else() {
        let person = ActorId::Person(PersonId(0xab));
        let key = ActorId::Key("00000000000000ab".parse().unwrap());
        for (actor, text) in [(person, "00000000000000ab"), (key, "key:00000000000000ab")] {
            assert_eq!((actor.to_string().as_str(), text.parse()), (text, Ok(actor)));
        }
        for text in ["", "key:", "key:ab", "JCgnh3DhfKRFKbvX", "key: 00000000000000ab", "Key:00000000000000ab"] {
            assert_eq!(text.parse::<ActorId>(), Err(NotAnActor), "{text}");
        }
    }
}
