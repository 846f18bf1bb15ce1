//! The feed of changes: what the vault tells the edge so that nothing that was revoked decides any more.
//!
//! An entry says of a key, or of a whole workspace, from which version on its records are good. The edge
//! reads the feed at least every [`FRESH_FOR`] while it decides, and forgets what has become too old. An
//! entry is kept for longer than any record can live that it forbids ([`KEPT_FOR`] against
//! [`crate::record::LIFETIME`]), so an old record that somebody puts back is never honoured either.

use crate::{
    locator::Locator,
    record::Record,
    time::{HOUR, SECOND, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How old what the edge has read of the feed may be while it decides, in milliseconds.
pub const FRESH_FOR: i64 = 5 * SECOND;
/// How often the edge reads it while it has calls, in milliseconds.
pub const READ_EVERY: i64 = SECOND;
/// How long an entry is kept, in milliseconds: an hour beyond the life of a record.
pub const KEPT_FOR: i64 = crate::record::LIFETIME + HOUR;
/// Feeds of a deployment; a workspace's number says which one is its own.
pub const SHARDS: u32 = 16;
/// Most entries of one answer.
pub const PAGE: usize = 5_000;

/// The feed of a workspace.
pub const fn shard_of(workspace: u32) -> u32 {
    workspace % SHARDS
}

/// Whom an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// One key.
    Key(Locator),
    /// Every key of a workspace; versions are those of its settings.
    Workspace(u32),
    /// Every key of a workspace, by when its record was sealed; versions are moments in milliseconds since 1970. So what was
    /// sealed before a workspace was read in from a file decides no more, whatever its version.
    Sealed(u32),
}

/// Records of this subject are good from this version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whom it is about.
    pub subject: Subject,
    /// The lowest version that is still good.
    pub version: u64,
}

/// An answer to "what has changed since?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Tells a feed from one that was made anew; positions of one mean nothing to the other.
    pub incarnation: u64,
    /// When the feed was made. It knows nothing of what was forbidden before that.
    pub born: Timestamp,
    /// The position after these entries.
    pub position: u64,
    /// Whether there are more after them.
    pub more: bool,
    /// What has changed, in order; of each subject the last change only.
    pub entries: Vec<Entry>,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Of the feed that was read; 0 for none.
    pub incarnation: u64,
    /// After the last entry that was read.
    pub position: u64,
}

/// Writes a page.
pub fn encode(page: &Page) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    // Numbers and texts: there is nothing in a page that cannot be written.
    bytes.extend(postcard::to_allocvec(page).unwrap_or_default());
    bytes
}

/// Reads a page; nothing if it is not one, or longer than a page may be.
pub fn decode(bytes: &[u8]) -> Option<Page> {
    let (layout, body) = bytes.split_first()?;
    let page: Page = (*layout == LAYOUT).then(|| postcard::from_bytes(body).ok())??;
    (page.entries.len() <= PAGE).then_some(page)
}

/// The version of the layout that is written.
const LAYOUT: u8 = 1;

/// What a reader knows of one feed.
#[derive(Debug, Default)]
pub struct Follower {
    at: Position,
    born: Timestamp,
    read_at: Option<Timestamp>,
    floors: HashMap<Subject, Floor>,
    /// The floors of [`Subject::Sealed`], which most often there are none of, by workspace.
    sealed: HashMap<u32, Floor>,
}

#[derive(Clone, Copy, Debug)]
struct Floor {
    version: u64,
    heard_at: Timestamp,
}

impl Follower {
    /// What to ask for.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Takes in an answer to a question that was asked at `asked_at` from `asked_from`, and returns whom it
    /// is about: what is remembered of them must be forgotten. `None` stands for "everybody".
    pub fn learn(&mut self, page: Page, asked_from: Position, asked_at: Timestamp) -> Option<Vec<Subject>> {
        let anew = page.incarnation != asked_from.incarnation;
        let told: Vec<Subject> = page.entries.iter().map(|entry| entry.subject).collect();
        for entry in page.entries {
            let none = Floor { version: 0, heard_at: asked_at };
            let floor = match entry.subject {
                Subject::Sealed(workspace) => self.sealed.entry(workspace).or_insert(none),
                subject => self.floors.entry(subject).or_insert(none),
            };
            floor.version = floor.version.max(entry.version);
            floor.heard_at = floor.heard_at.max(asked_at);
        }
        // Answers may overtake each other; what a later one has told stands.
        if page.incarnation != self.at.incarnation || page.position > self.at.position {
            self.at = Position { incarnation: page.incarnation, position: page.position };
            self.born = page.born;
        }
        if !page.more {
            // Not the later of two: a clock that was set back must not make it fresh for ever, nor never.
            self.read_at = Some(asked_at);
        }
        // No record can be around any more that these forbid.
        let forbids = |floor: &mut Floor| asked_at.since(floor.heard_at) < KEPT_FOR;
        self.floors.retain(|_, floor| forbids(floor));
        self.sealed.retain(|_, floor| forbids(floor));
        (!anew).then_some(told)
    }

    /// Milliseconds since the feed was known to the end; none if it never was.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        // A clock that was set back makes it stale.
        self.read_at.map(|read_at| now.since(read_at)).filter(|age| *age >= 0)
    }

    /// Whether what is known suffices to decide now.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.age(now).is_some_and(|age| age < FRESH_FOR)
    }

    /// Whether a record may decide: it was sealed since the feed was made and its workspace was read in from a file, if ever,
    /// and neither its version nor that of its workspace's settings is too old.
    pub fn allows(&self, record: &Record) -> bool {
        let floor = |subject| self.floors.get(&subject).map_or(0, |floor| floor.version);
        let is_late = |floor: &Floor| u64::try_from(record.sealed_at.millis()).is_ok_and(|at| at >= floor.version);
        record.sealed_at >= self.born
            && self.sealed.get(&record.workspace.number).is_none_or(is_late)
            && record.version >= floor(Subject::Key(record.locator))
            && record.workspace.version >= floor(Subject::Workspace(record.workspace.number))
    }
}

#[cfg(test)]
mod tests;
