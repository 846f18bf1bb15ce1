//! Revocation feed: the vault publishes the lowest valid version of each key's records.
//!
//! An entry applies to one key or to a whole workspace. An edge polls the feed, so that its view is
//! younger than [`FRESH_FOR`] while it decides. It evicts cached records below a published version.
//! An entry outlives every record that it invalidates ([`KEPT_FOR`] against
//! [`crate::record::LIFETIME`]). So an old record that is put back into a store is never accepted
//! either.

use crate::{
    locator::Locator,
    record::Record,
    time::{HOUR, SECOND, Timestamp},
    wire::{self, WireError},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Maximum age of the edge's view of the feed while it decides, in milliseconds.
pub const FRESH_FOR: i64 = 5 * SECOND;
/// Polling interval of an edge that serves requests, in milliseconds.
pub const READ_EVERY: i64 = SECOND;
/// Retention of an entry, in milliseconds: an hour beyond the lifetime of a record.
pub const KEPT_FOR: i64 = crate::record::LIFETIME + HOUR;
/// Number of feeds of a deployment. The workspace number selects the feed.
pub const SHARDS: u32 = 16;
/// Maximum entries of one page.
pub const PAGE: usize = 5_000;

/// Returns the feed of a workspace.
pub const fn shard_of(workspace: u32) -> u32 {
    workspace % SHARDS
}

/// Records that an entry applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Affected {
    /// One key.
    Key(Locator),
    /// Every key of a workspace. Versions are those of its settings.
    Workspace(u32),
    /// Every key of a workspace, by the time at which its record was sealed.
    ///
    /// Versions are times, in milliseconds since 1970. An import thereby invalidates all records
    /// sealed before it, regardless of their version.
    Sealed(u32),
}

/// Lowest valid version of a subject's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Key or workspace concerned.
    pub subject: Affected,
    /// Lowest version that is still valid.
    pub version: u64,
}

/// A page of entries after a reader's cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Id of this feed instance. Cursors of one instance are invalid in another.
    pub incarnation: u64,
    /// Creation time of the feed. It holds no revocations from before.
    pub born: Timestamp,
    /// Cursor after these entries.
    pub position: u64,
    /// True if more entries follow.
    pub more: bool,
    /// Changes in order, with only the last change of each subject.
    pub entries: Vec<Entry>,
}

/// Cursor of a reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Feed instance that was read; 0 for none.
    pub incarnation: u64,
    /// Position after the last entry that was read.
    pub position: u64,
}

/// Serialises a page.
///
/// # Errors
///
/// As [`wire::encode`].
pub fn encode(page: &Page) -> Result<Vec<u8>, WireError> {
    wire::encode(LAYOUT, page)
}

/// Parses a page.
///
/// # Errors
///
/// Returns a [`WireError`] for other bytes, or for more than [`PAGE`] entries.
pub fn decode(bytes: &[u8]) -> Result<Page, WireError> {
    let page: Page = wire::decode(LAYOUT, bytes)?;
    if page.entries.len() <= PAGE { Ok(page) } else { Err(WireError::Body) }
}

/// Layout version that is written.
const LAYOUT: u8 = 1;

/// A reader's view of one feed.
#[derive(Debug, Default)]
pub struct FeedReader {
    at: Position,
    born: Timestamp,
    read_at: Option<Timestamp>,
    floors: HashMap<Affected, Floor>,
    /// Floors of [`Affected::Sealed`] by workspace, usually empty.
    sealed: HashMap<u32, Floor>,
}

#[derive(Clone, Copy, Debug)]
struct Floor {
    version: u64,
    heard_at: Timestamp,
}

impl FeedReader {
    /// Returns the cursor for the next read.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Applies a page that was requested at `asked_at` with the cursor `asked_from`.
    ///
    /// Returns the subjects whose cached records must be evicted. `None` stands for all subjects.
    pub fn learn(&mut self, page: Page, asked_from: Position, asked_at: Timestamp) -> Option<Vec<Affected>> {
        let anew = page.incarnation != asked_from.incarnation;
        let told: Vec<Affected> = page.entries.iter().map(|entry| entry.subject).collect();
        for entry in page.entries {
            let none = Floor { version: 0, heard_at: asked_at };
            let floor = match entry.subject {
                Affected::Sealed(workspace) => self.sealed.entry(workspace).or_insert(none),
                subject => self.floors.entry(subject).or_insert(none),
            };
            floor.version = floor.version.max(entry.version);
            floor.heard_at = floor.heard_at.max(asked_at);
        }
        // Pages can arrive out of order. An earlier page never moves the cursor back.
        if page.incarnation != self.at.incarnation || page.position > self.at.position {
            self.at = Position { incarnation: page.incarnation, position: page.position };
            self.born = page.born;
        }
        if !page.more {
            // Not the maximum of both: after the clock is set back, the view must become neither
            // fresh nor stale forever.
            self.read_at = Some(asked_at);
        }
        // Drops floors whose invalidated records have all expired.
        let forbids = |floor: &mut Floor| asked_at.since(floor.heard_at) < KEPT_FOR;
        self.floors.retain(|_, floor| forbids(floor));
        self.sealed.retain(|_, floor| forbids(floor));
        (!anew).then_some(told)
    }

    /// Returns the milliseconds since the last complete read.
    ///
    /// Returns `None` before the first one, and after the clock was set back.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        // The view counts as stale after the clock was set back.
        self.read_at.map(|read_at| now.since(read_at)).filter(|age| *age >= 0)
    }

    /// Returns true if the view is recent enough to decide at `now`.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.age(now).is_some_and(|age| age < FRESH_FOR)
    }

    /// Returns true if a record may decide.
    ///
    /// Its sealing must not precede the feed's creation, nor the workspace's last import. Neither
    /// its version nor its workspace's settings version may be below the floor.
    pub fn allows(&self, record: &Record) -> bool {
        let floor = |subject| self.floors.get(&subject).map_or(0, |floor| floor.version);
        let is_late = |floor: &Floor| u64::try_from(record.sealed_at.millis()).is_ok_and(|at| at >= floor.version);
        record.sealed_at >= self.born
            && self.sealed.get(&record.workspace.number).is_none_or(is_late)
            && record.version >= floor(Affected::Key(record.locator))
            && record.workspace.version >= floor(Affected::Workspace(record.workspace.number))
    }
}

#[cfg(test)]
mod tests;
