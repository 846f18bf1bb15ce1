//! What an isolate knows of the feeds of changes: one reader for each that it has keys of.

use ownchat_domain::{
    feed::{Follower, Page, Position, READ_EVERY, Subject, shard_of},
    record::Record,
    time::{SECOND, Timestamp},
};
use std::collections::HashMap;

/// A question to a feed counts as lost when it was not answered for so long, in milliseconds.
const LOST_AFTER: i64 = 2 * SECOND;
/// A feed that did not answer is not waited for again for so long, in milliseconds.
const DOWN_FOR: i64 = SECOND;

/// The readers, by shard.
#[derive(Debug, Default)]
pub struct News(HashMap<u32, Reader>);

#[derive(Debug, Default)]
struct Reader {
    follower: Follower,
    /// When the question was asked that is under way.
    asked_at: Option<Timestamp>,
    /// When a question failed, if none was answered since.
    failed_at: Option<Timestamp>,
}

impl News {
    /// Whether what is known of the feed of this workspace suffices to decide.
    pub fn is_fresh(&self, workspace: u32, now: Timestamp) -> bool {
        self.reader(workspace).is_some_and(|reader| reader.follower.is_fresh(now))
    }

    /// How old what is known of the feed of this workspace is, in milliseconds; none if nothing is.
    pub fn age(&self, workspace: u32, now: Timestamp) -> Option<i64> {
        self.reader(workspace)?.follower.age(now)
    }

    /// The age of the feed that was read longest ago, in milliseconds; none if none was read.
    pub fn oldest(&self, now: Timestamp) -> Option<i64> {
        self.0.values().filter_map(|reader| reader.follower.age(now)).max()
    }

    /// Whether the feed allows this record to decide. What is not known forbids nothing.
    pub fn allows(&self, record: &Record) -> bool {
        self.reader(record.workspace.number).is_none_or(|reader| reader.follower.allows(record))
    }

    /// From where to read on, if it is time to: nobody is reading, and the last time was long enough ago.
    pub fn due(&self, workspace: u32, now: Timestamp) -> bool {
        !self.is_asked(workspace, now)
            && self.age(workspace, now).is_none_or(|age| age >= READ_EVERY)
            && !self.is_down(workspace, now)
    }

    /// Whether somebody is reading.
    pub fn is_asked(&self, workspace: u32, now: Timestamp) -> bool {
        let asked_at = self.reader(workspace).and_then(|reader| reader.asked_at);
        asked_at.is_some_and(|asked_at| (0..LOST_AFTER).contains(&now.since(asked_at)))
    }

    /// Whether the last question failed, and so lately that the next is not waited for.
    pub fn is_down(&self, workspace: u32, now: Timestamp) -> bool {
        let failed_at = self.reader(workspace).and_then(|reader| reader.failed_at);
        failed_at.is_some_and(|failed_at| (0..DOWN_FOR).contains(&now.since(failed_at)))
    }

    /// Notes that a question is asked, and returns from where.
    pub fn ask(&mut self, workspace: u32, now: Timestamp) -> Position {
        let reader = self.0.entry(shard_of(workspace)).or_default();
        reader.asked_at = Some(now);
        reader.follower.position()
    }

    /// Takes in an answer, and returns whom it is about. Of what is remembered of them nothing decides any
    /// more that is too old, in any case.
    pub fn learn(&mut self, workspace: u32, page: Page, from: Position, asked_at: Timestamp) -> Vec<Subject> {
        let reader = self.0.entry(shard_of(workspace)).or_default();
        (reader.asked_at, reader.failed_at) = (None, None);
        reader.follower.learn(page, from, asked_at).unwrap_or_default()
    }

    /// A question was not answered.
    pub fn lost(&mut self, workspace: u32, now: Timestamp) {
        let reader = self.0.entry(shard_of(workspace)).or_default();
        (reader.asked_at, reader.failed_at) = (None, Some(now));
    }

    fn reader(&self, workspace: u32) -> Option<&Reader> {
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
    fn a_feed_is_read_once_a_second_and_by_one_at_a_time() {
        let mut news = News::default();
        assert!(news.due(7, NOW) && !news.is_fresh(7, NOW));
        let from = news.ask(7, NOW);
        assert!(!news.due(7, NOW), "somebody is reading");
        assert!(news.due(7, NOW.plus(LOST_AFTER)), "that one is lost");
        news.learn(7, page(0, vec![]), from, NOW);
        assert!(news.is_fresh(7, NOW.plus(FRESH_FOR - 1)) && !news.is_fresh(7, NOW.plus(FRESH_FOR)));
        assert!(!news.due(7, NOW.plus(READ_EVERY - 1)) && news.due(7, NOW.plus(READ_EVERY)));
        assert!(news.is_fresh(7 + SHARDS, NOW) && !news.is_fresh(8, NOW), "workspaces share a shard or not");
        assert_eq!((news.age(7, NOW.plus(3)), news.oldest(NOW.plus(3)), news.age(8, NOW)), (Some(3), Some(3), None));
    }

    #[test]
    fn a_feed_that_does_not_answer_is_left_alone_for_a_second() {
        let mut news = News::default();
        news.ask(7, NOW);
        assert!(news.is_asked(7, NOW) && !news.is_down(7, NOW));
        news.lost(7, NOW);
        assert!(!news.is_asked(7, NOW) && news.is_down(7, NOW.plus(DOWN_FOR - 1)) && !news.due(7, NOW));
        assert!(!news.is_down(7, NOW.plus(DOWN_FOR)) && news.due(7, NOW.plus(DOWN_FOR)));
        let from = news.ask(7, NOW.plus(1));
        news.learn(7, page(0, vec![]), from, NOW.plus(1));
        assert!(!news.is_down(7, NOW.plus(1)));
    }

    #[test]
    fn what_is_told_forbids_and_is_named() {
        let mut news = News::default();
        let record = record();
        assert!(news.allows(&record));
        let start = news.ask(7, NOW);
        news.learn(7, page(1, vec![]), start, NOW);
        let key = Subject::Key(record.locator);
        let from = news.ask(7, NOW);
        let told = news.learn(7, page(2, vec![Entry { subject: key, version: 4 }]), from, NOW);
        assert_eq!(told, [key]);
        assert!(!news.allows(&record), "its version is 3");
    }
}
