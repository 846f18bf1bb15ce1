//! The local view of the revocation feed: one reader for each shard that the isolate has keys of.
//! It holds freshness, read timeout and back-off.

use ownchat_domain::{
    feed::{Affected, FeedReader, Page, Position, READ_EVERY, shard_of},
    record::Record,
    time::{SECOND, Timestamp},
};
use std::collections::HashMap;

/// Timeout of a feed read in flight, in milliseconds; after it another request may read.
const READ_TIMEOUT: i64 = 2 * SECOND;
/// Milliseconds after a failed read in which requests do not wait for the feed.
const BACK_OFF: i64 = SECOND;

/// Readers by shard.
#[derive(Debug, Default)]
pub struct FeedView(HashMap<u32, Shard>);

#[derive(Debug, Default)]
struct Shard {
    follower: FeedReader,
    /// When the read in flight began.
    requested_at: Option<Timestamp>,
    /// When the last read failed, if none succeeded since.
    failed_at: Option<Timestamp>,
}

impl FeedView {
    /// Returns true if the view of the workspace's feed is fresh enough to decide.
    pub fn is_fresh(&self, workspace: u32, now: Timestamp) -> bool {
        self.shard(workspace).is_some_and(|shard| shard.follower.is_fresh(now))
    }

    /// Returns the age of the view of the workspace's feed, in milliseconds; none before the first
    /// read.
    pub fn age(&self, workspace: u32, now: Timestamp) -> Option<i64> {
        self.shard(workspace)?.follower.age(now)
    }

    /// Returns the age of the least recently read feed, in milliseconds; none before the first
    /// read.
    pub fn oldest_age(&self, now: Timestamp) -> Option<i64> {
        self.0.values().filter_map(|shard| shard.follower.age(now)).max()
    }

    /// Returns true if the feed allows this record to decide. An unread feed forbids nothing.
    pub fn allows(&self, record: &Record) -> bool {
        self.shard(record.workspace.number).is_none_or(|shard| shard.follower.allows(record))
    }

    /// Returns true if a read is due. Then none is in flight, the view is old enough, and the feed
    /// is not down.
    pub fn is_due(&self, workspace: u32, now: Timestamp) -> bool {
        !self.is_reading(workspace, now)
            && self.age(workspace, now).is_none_or(|age| age >= READ_EVERY)
            && !self.is_down(workspace, now)
    }

    /// Returns true if a read is in flight.
    pub fn is_reading(&self, workspace: u32, now: Timestamp) -> bool {
        let requested_at = self.shard(workspace).and_then(|shard| shard.requested_at);
        requested_at.is_some_and(|requested_at| (0..READ_TIMEOUT).contains(&now.since(requested_at)))
    }

    /// Returns true if the last read failed so recently that requests do not wait for the next.
    pub fn is_down(&self, workspace: u32, now: Timestamp) -> bool {
        let failed_at = self.shard(workspace).and_then(|shard| shard.failed_at);
        failed_at.is_some_and(|failed_at| (0..BACK_OFF).contains(&now.since(failed_at)))
    }

    /// Marks a read as in flight and returns the position to read from.
    pub fn begin_read(&mut self, workspace: u32, now: Timestamp) -> Position {
        let shard = self.0.entry(shard_of(workspace)).or_default();
        shard.requested_at = Some(now);
        shard.follower.position()
    }

    /// Applies a page and returns its subjects, to be evicted. From then on no cached record of
    /// them decides that is older than the page allows, evicted or not.
    pub fn apply_page(&mut self, workspace: u32, page: Page, from: Position, requested_at: Timestamp) -> Vec<Affected> {
        let shard = self.0.entry(shard_of(workspace)).or_default();
        (shard.requested_at, shard.failed_at) = (None, None);
        shard.follower.learn(page, from, requested_at).unwrap_or_default()
    }

    /// Marks the read in flight as failed.
    pub fn read_failed(&mut self, workspace: u32, now: Timestamp) {
        let shard = self.0.entry(shard_of(workspace)).or_default();
        (shard.requested_at, shard.failed_at) = (None, Some(now));
    }

    fn shard(&self, workspace: u32) -> Option<&Shard> {
        self.0.get(&shard_of(workspace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, record};
    use ownchat_domain::feed::{Entry, FRESH_FOR, SHARDS};

    fn page(position: u64, entries: Vec<Entry>) -> Page {
        Page { incarnation: 1, born: NOW, position, more: false, entries }
    }

    #[test]
    fn feed_is_read_once_a_second_by_one_request() {
        let mut feed = FeedView::default();
        assert!(feed.is_due(7, NOW) && !feed.is_fresh(7, NOW));
        let from = feed.begin_read(7, NOW);
        assert!(!feed.is_due(7, NOW), "a read is in flight");
        assert!(feed.is_due(7, NOW.plus(READ_TIMEOUT)), "the read timed out");
        feed.apply_page(7, page(0, vec![]), from, NOW);
        assert!(feed.is_fresh(7, NOW.plus(FRESH_FOR - 1)) && !feed.is_fresh(7, NOW.plus(FRESH_FOR)));
        assert!(!feed.is_due(7, NOW.plus(READ_EVERY - 1)) && feed.is_due(7, NOW.plus(READ_EVERY)));
        assert!(feed.is_fresh(7 + SHARDS, NOW) && !feed.is_fresh(8, NOW), "workspaces share a shard");
        assert_eq!(
            (feed.age(7, NOW.plus(3)), feed.oldest_age(NOW.plus(3)), feed.age(8, NOW)),
            (Some(3), Some(3), None)
        );
    }

    #[test]
    fn failed_feed_backs_off_for_a_second() {
        let mut feed = FeedView::default();
        feed.begin_read(7, NOW);
        assert!(feed.is_reading(7, NOW) && !feed.is_down(7, NOW));
        feed.read_failed(7, NOW);
        assert!(!feed.is_reading(7, NOW) && feed.is_down(7, NOW.plus(BACK_OFF - 1)) && !feed.is_due(7, NOW));
        assert!(!feed.is_down(7, NOW.plus(BACK_OFF)) && feed.is_due(7, NOW.plus(BACK_OFF)));
        let from = feed.begin_read(7, NOW.plus(1));
        feed.apply_page(7, page(0, vec![]), from, NOW.plus(1));
        assert!(!feed.is_down(7, NOW.plus(1)));
    }

    #[test]
    fn page_forbids_its_subjects_and_names_them() {
        let mut feed = FeedView::default();
        let record = record();
        assert!(feed.allows(&record));
        let start = feed.begin_read(7, NOW);
        feed.apply_page(7, page(1, vec![]), start, NOW);
        let key = Affected::Key(record.locator);
        let from = feed.begin_read(7, NOW);
        let subjects = feed.apply_page(7, page(2, vec![Entry { subject: key, version: 4 }]), from, NOW);
        assert_eq!(subjects, [key]);
        assert!(!feed.allows(&record), "the record has version 3");
    }
}
