//! What the Workers say to the vault.
//!
//! Every question is a type that names its answer ([`Call`]); it travels as JSON in a `POST` over a
//! service binding. The paths are made and read here and nowhere else.

mod beside;
mod caller;
pub mod feed;
pub mod hasher;
pub mod instance;
pub mod masters;
pub mod meter;
pub mod person;
pub mod registry;
pub mod transfer;
pub mod usage;

pub use caller::{Asked, Caller, KeyCaller};

use crate::{
    account::PersonId,
    failure::Failure,
    feed::{Position, SHARDS},
    locator::Locator,
};
use core::str::FromStr;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A question to one of the vault's objects.
pub trait Call: Serialize + DeserializeOwned {
    /// What comes back when it went well.
    type Answer: Serialize + DeserializeOwned;
    /// Its name in the path; unique within the object.
    const NAME: &'static str;
}

/// What comes back: the answer, or why there is none.
pub type Outcome<T> = Result<T, Failure>;

/// One of the vault's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The one object that knows the deployment.
    Instance,
    /// One of the two objects that hash passwords.
    Hasher(hasher::Queue),
    /// The object of an account.
    Person(PersonId),
    /// The object of a workspace, by its number.
    Registry(u32),
    /// The object that tells of changes, by the number of its shard.
    Feed(u32),
    /// The object that counts the use of a limited key.
    Meter(Locator),
    /// The object that remembers how a workspace uses its keys, by its number.
    Usage(u32),
}

impl Object {
    /// The path under which `name` is asked of this object.
    pub fn path(self, name: &str) -> String {
        match self {
            Self::Instance => format!("/instance/-/{name}"),
            Self::Hasher(queue) => format!("/hasher/{}/{name}", queue.as_str()),
            Self::Person(id) => format!("/person/{id}/{name}"),
            Self::Registry(number) => format!("/registry/{number}/{name}"),
            Self::Feed(shard) => format!("/feed/{shard}/{name}"),
            Self::Meter(locator) => format!("/meter/{locator}/{name}"),
            Self::Usage(number) => format!("/usage/{number}/{name}"),
        }
    }

    /// Reads a path that [`Object::path`] made.
    pub fn parse(path: &str) -> Option<(Self, &str)> {
        let mut parts = path.strip_prefix('/')?.splitn(3, '/');
        let (kind, id, name) = (parts.next()?, parts.next()?, parts.next()?);
        let object = match kind {
            "instance" if id == "-" => Self::Instance,
            "hasher" => Self::Hasher(hasher::Queue::parse(id)?),
            "person" => Self::Person(PersonId::from_str(id).ok()?),
            "registry" => Self::Registry(id.parse().ok()?),
            "meter" => Self::Meter(id.parse().ok()?),
            "usage" => Self::Usage(id.parse().ok()?),
            "feed" => Self::Feed(id.parse().ok().filter(|shard| *shard < SHARDS)?),
            _ => return None,
        };
        Some((object, name))
    }
}

/// Where a change comes from; goes into the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who does it.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// The caller's address, as the platform saw it.
    pub address: String,
    /// Id of the request.
    pub request_id: String,
}

/// Path under which the edge asks a feed what has changed since. The answer is a page as bytes
/// ([`crate::feed::decode`]).
pub fn news_path(shard: u32, since: Position) -> String {
    Object::Feed(shard).path(&format!("since/{}/{}", since.incarnation, since.position))
}

/// Reads what is asked of a feed in a path that [`news_path`] made.
pub fn parse_news(name: &str) -> Option<Position> {
    let (incarnation, position) = name.strip_prefix("since/")?.split_once('/')?;
    Some(Position { incarnation: incarnation.parse().ok()?, position: position.parse().ok()? })
}

/// Path under which the edge asks the meter of a key for permits, by `POST`. Question and answer are bytes
/// ([`crate::meter::encode`]).
pub fn permits_path(locator: Locator) -> String {
    Object::Meter(locator).path(PERMITS)
}

/// Name of the question to a meter.
pub const PERMITS: &str = "permits";

/// Path under which the edge hands in what it has counted of a workspace, by `POST` of a batch as bytes
/// ([`crate::usage::encode`]). 2xx: it is counted, now or before. 4xx: it never will be, so it is not to be sent
/// again. 5xx: it was not counted, so it is.
pub fn usage_path(workspace: u32) -> String {
    Object::Usage(workspace).path(USAGE)
}

/// Name of the batch that is handed in.
pub const USAGE: &str = "batch";

/// Path under which the edge asks for the sealed record of a key. The answer is the bytes, or 404.
pub fn record_path(workspace: u32, locator: Locator) -> String {
    Object::Registry(workspace).path(&format!("record/{locator}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_they_were_made() {
        let meter = Object::Meter("0000000000000001".parse().unwrap());
        let person = Object::Person(PersonId(0xab));
        let hashers = hasher::Queue::ALL.map(Object::Hasher);
        for object in hashers.into_iter().chain([
            Object::Instance,
            person,
            Object::Registry(u32::MAX),
            Object::Feed(15),
            meter,
            Object::Usage(u32::MAX),
        ]) {
            assert_eq!(Object::parse(&object.path("x/y")), Some((object, "x/y")));
        }
        for path in [
            "",
            "/",
            "/instance/1/x",
            "/person/ab/x",
            "/hasher/2/x",
            "/registry/-1/x",
            "/registry/1",
            "/other/1/x",
            "/feed/16/x",
            "/usage/x/y",
        ] {
            assert_eq!(Object::parse(path), None, "{path}");
        }
        let since = Position { incarnation: u64::MAX, position: 7 };
        let path = news_path(3, since);
        let (object, name) = Object::parse(&path).unwrap();
        assert_eq!((object, parse_news(name)), (Object::Feed(3), Some(since)));
    }
}
