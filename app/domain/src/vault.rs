//! RPC protocol between the Workers and the vault.
//!
//! Each command is a type that names its response ([`Command`]). It travels as JSON in a `POST`
//! over a service binding. This module alone builds and parses the paths.

/// Declares a command: its type, its name, its response, and the field with its caller if it has
/// one.
macro_rules! command {
    ($command:ident, $name:literal, $answer:ty $(, $($field:ident).+)?) => {
        impl $crate::vault::Command for $command {
            type Answer = $answer;
            const NAME: &'static str = $name;
        }
        $(impl $crate::vault::WithCaller for $command {
            fn caller(&self) -> &$crate::vault::Caller {
                &self.$($field).+
            }
        })?
    };
}

mod caller;
pub mod feed;
mod flatten;
pub mod hasher;
pub mod instance;
pub mod masters;
pub mod meter;
pub mod person;
pub mod registry;
pub mod transfer;
pub mod usage;

pub use caller::{Caller, KeyCaller, WithCaller};

use crate::{
    account::PersonId,
    failure::Failure,
    feed::{Position, SHARDS},
    locator::Locator,
};
use core::str::FromStr;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A command to one of the vault's durable objects.
pub trait Command: Serialize + DeserializeOwned {
    /// Response if the command succeeds.
    type Answer: Serialize + DeserializeOwned;
    /// Name of the command in the path; unique within the object. A renamed type keeps it, since
    /// Workers and objects of different versions talk to each other during a deployment.
    const NAME: &'static str;
}

/// Result of a command: its response or its failure.
pub type Outcome<T> = Result<T, Failure>;

/// One of the vault's durable objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The single object with the state of the deployment.
    Instance,
    /// One of the two password hashing objects.
    Hasher(hasher::Queue),
    /// The object of an account.
    Person(PersonId),
    /// The object of a workspace, by workspace number.
    Registry(u32),
    /// A shard of the revocation feed, by shard number.
    Feed(u32),
    /// The meter of a key with limits.
    Meter(Locator),
    /// The usage counters of a workspace, by workspace number.
    Usage(u32),
}

impl Object {
    /// Builds the path of the command `name` to this object.
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

    /// Parses a path that [`Object::path`] built.
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

/// Origin of a change, for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Author of the change.
    #[serde(rename = "person")]
    pub caller: Caller,
    /// Client IP address as the platform reports it.
    pub address: String,
    /// Request id.
    pub request_id: String,
}

/// Builds the path of the feed page after `since`, for the edge. The response is a page as bytes
/// ([`crate::feed::decode`]).
pub fn feed_path(shard: u32, since: Position) -> String {
    Object::Feed(shard).path(&format!("since/{}/{}", since.incarnation, since.position))
}

/// Parses the position in a path that [`feed_path`] built.
pub fn parse_feed_path(name: &str) -> Option<Position> {
    let (incarnation, position) = name.strip_prefix("since/")?.split_once('/')?;
    Some(Position { incarnation: incarnation.parse().ok()?, position: position.parse().ok()? })
}

/// Builds the path under which the edge requests permits from a key's meter, by `POST`. Request and
/// response are bytes ([`crate::meter::encode`]).
pub fn permits_path(locator: Locator) -> String {
    Object::Meter(locator).path(PERMITS)
}

/// Name of the permit request to a meter.
pub const PERMITS: &str = "permits";

/// Builds the path to which the edge sends a workspace's usage, by `POST` of a batch as bytes
/// ([`crate::usage::encode`]). 2xx: the batch is counted, now or before. 4xx: it never will be, so
/// do not retry. 5xx: it is not counted, so retry.
pub fn usage_path(workspace: u32) -> String {
    Object::Usage(workspace).path(USAGE)
}

/// Name of the usage batch upload.
pub const USAGE: &str = "batch";

/// Builds the path of a key's sealed record, for the edge. The response is the bytes, or 404.
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
        let path = feed_path(3, since);
        let (object, name) = Object::parse(&path).unwrap();
        assert_eq!((object, parse_feed_path(name)), (Object::Feed(3), Some(since)));
    }
}
