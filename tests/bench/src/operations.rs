//! Storage operations of a verification: row E5. Counted, not measured.

use crate::{
    keys::{SCOPES, forged, malformed, mistyped},
    row::{Goal, Row},
    testbed::{Server, Testbed},
};
use ownchat_domain::{time::SECOND, usage::FLUSH_AFTER};
use ownchat_runtime::{HttpClient, JSON, SERVICE};
use serde_json::json;

/// Calls of each kind.
const CALLS: usize = 1_000;
/// Keys that are called for the first time.
const KEYS: usize = 100;
/// Longest delay of a deferred request after a response, in milliseconds: usage is flushed last.
const LATEST: i64 = FLUSH_AFTER + SECOND;

/// Operations on KV, and requests to the vault.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Operations {
    reads: u64,
    writes: u64,
    feed: u64,
    usage: u64,
    /// All other requests to the vault.
    others: u64,
}

impl Operations {
    fn of(testbed: &Testbed) -> Self {
        let (writes, wire) = (testbed.kv_writes(), &testbed.wire);
        let (feed, usage) = (wire.asked("feed"), wire.asked("usage"));
        Self { reads: testbed.kv_operations() - writes, writes, feed, usage, others: wire.all() - feed - usage }
    }

    fn since(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            feed: self.feed - before.feed,
            usage: self.usage - before.usage,
            others: self.others - before.others,
        }
    }

    /// All operations.
    fn all(self) -> u64 {
        self.feed + self.usage + self.for_one_call()
    }

    /// Operations on behalf of one call. Usage is flushed after the response. The feed is read for
    /// all keys together, once a second.
    fn for_one_call(self) -> u64 {
        self.reads + self.writes + self.others
    }
}

/// Operations during calls of each kind.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    forged: Operations,
    mistyped: Operations,
    malformed: Operations,
    missed: Operations,
    remembered: Operations,
}

/// Counts on an edge with an empty cache.
pub fn rows(testbed: &mut Testbed) -> Vec<Row> {
    let keys: Vec<String> = (0..KEYS).map(|_| testbed.key(SCOPES).token).collect();
    let good = keys.first().unwrap();
    let edge = testbed.edge();
    let count = |keys: &[String], code: &str, wait| {
        let before = Operations::of(testbed);
        ask(&edge, keys, code);
        testbed.clock.wait(wait);
        Operations::of(testbed).since(before)
    };
    // Made-up keys first: nothing is cached, and no read of the feed is in flight. The wait covers
    // deferred requests, so they are counted as well.
    let [forged, mistyped, malformed] =
        [vec![forged(good)], vec![mistyped(good)], malformed(good).to_vec()].map(|bad| {
            let bad: Vec<String> = bad.into_iter().cycle().take(CALLS).collect();
            count(&bad, "MALFORMED_KEY", LATEST)
        });
    let missed = count(&keys, "VALID", 0);
    let remembered: Vec<String> = keys.iter().cycle().take(CALLS).cloned().collect();
    let remembered = count(&remembered, "VALID", 0);
    Counted { forged, mistyped, malformed, missed, remembered }.rows()
}

impl Counted {
    fn rows(&self) -> Vec<Row> {
        let Self { forged, mistyped, malformed, missed, remembered } = self;
        let every = [forged, mistyped, malformed, missed, remembered];
        let writes = every.iter().map(|asked| asked.writes).sum();
        let feed = every.iter().map(|asked| asked.feed).sum();
        let row = |id: &str, what: &str, ours, goal| Row::alone(id, what, Some(figure(ours)), Some(goal), "");
        let nothing = Goal::Exactly(0.0);
        let once = Goal::Exactly(figure(KEYS as u64));
        vec![
            row("E5", "operations for 1,000 calls with cached keys", remembered.for_one_call(), nothing),
            row("E5 miss", "KV reads for 100 keys that were not cached", missed.reads, once),
            row("E5 miss, others", "other operations for these", missed.writes + missed.others, nothing),
            row("E5 forged", "operations for 1,000 calls with a forged key", forged.all(), nothing),
            row("E5 mistyped", "operations for 1,000 calls with a mistyped key", mistyped.all(), nothing),
            row("E5 malformed", "operations for 1,000 calls with texts that are no keys", malformed.all(), nothing),
            row("E5 writes", "writes into KV during all of these", writes, nothing),
            Row::alone("E5 feed", "times that the feed was read during all of these", Some(figure(feed)), None, ""),
        ]
    }
}

fn ask(edge: &Server, keys: &[String], code: &str) {
    let mut client = HttpClient::new(edge.address);
    for key in keys {
        let answer =
            client.call("POST", "/v1/verify", &[JSON, SERVICE], json!({"key": key}).to_string().as_bytes()).unwrap();
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
    }
}

/// A count as a figure of a row.
#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids of the rows that miss their goals: without operations, with these for made-up keys, and
    /// with these for cached keys.
    fn not_reached(asked: Operations) -> [Vec<String>; 3] {
        let missed = Operations { reads: KEYS as u64, ..Operations::default() };
        let good = Counted { missed, ..Counted::default() };
        let made_up = Counted { forged: asked, mistyped: asked, malformed: asked, ..good };
        let remembered = Counted { remembered: asked, ..good };
        [good, made_up, remembered].map(|counted| {
            let rows = counted.rows().into_iter().filter(|row| row.is_reached() == Some(false));
            rows.map(|row| row.id).collect()
        })
    }

    #[test]
    fn whatever_is_asked_for_a_made_up_key_is_counted() {
        let none = Operations::default();
        for asked in [
            Operations { reads: 1, ..none },
            Operations { feed: 1, ..none },
            Operations { usage: 1, ..none },
            Operations { others: 1, ..none },
        ] {
            let [good, made_up, _] = not_reached(asked);
            assert!(good.is_empty(), "{good:?}");
            assert_eq!(made_up, ["E5 forged", "E5 mistyped", "E5 malformed"], "{asked:?}");
        }
    }

    #[test]
    fn batched_operations_are_not_counted_for_a_cached_key() {
        let none = Operations::default();
        assert!(not_reached(Operations { feed: 1, usage: 1, ..none })[2].is_empty());
        for asked in [Operations { reads: 1, ..none }, Operations { others: 1, ..none }] {
            assert_eq!(not_reached(asked)[2], ["E5"], "{asked:?}");
        }
        assert_eq!(not_reached(Operations { writes: 1, ..none })[2], ["E5", "E5 writes"]);
    }
}
