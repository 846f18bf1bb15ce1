//! What a check asks of the stores: row E5. Counted, not measured.

use crate::{
    keys::{SCOPES, forged, malformed, mistyped},
    row::{Goal, Row},
    world::{Server, World},
};
use ownchat_runtime::Client;
use serde_json::json;

/// Calls of each kind.
const CALLS: usize = 1_000;
/// Keys that are called for the first time.
const KEYS: usize = 100;

/// What was asked while calls waited.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Operations {
    reads: u64,
    writes: u64,
    vault: u64,
}

impl Operations {
    fn of(world: &World) -> Self {
        let writes = world.kv_writes();
        Self { reads: world.kv_operations() - writes, writes, vault: world.vault_questions() }
    }

    fn since(self, before: Self) -> Self {
        let (reads, writes) = (self.reads - before.reads, self.writes - before.writes);
        Self { reads, writes, vault: self.vault - before.vault }
    }

    fn sum(self) -> u64 {
        self.reads + self.writes + self.vault
    }
}

/// Counts on an edge that remembers nothing yet.
pub fn rows(world: &mut World) -> Vec<Row> {
    let keys: Vec<String> = (0..KEYS).map(|_| world.key(SCOPES).token).collect();
    let good = keys.first().unwrap();
    let edge = world.edge();
    let mut writes = 0;
    let mut count = |keys: &[String], code: &str| {
        let before = Operations::of(world);
        ask(&edge, keys, code);
        let asked = Operations::of(world).since(before);
        writes += asked.writes;
        asked
    };
    // Made-up keys first: nothing is remembered, and no reader of the feed is under way.
    let asked = [vec![forged(good)], vec![mistyped(good)], malformed(good).to_vec()].map(|bad| {
        let bad: Vec<String> = bad.into_iter().cycle().take(CALLS).collect();
        count(&bad, "MALFORMED_KEY")
    });
    let missed = count(&keys, "VALID");
    let remembered: Vec<String> = keys.iter().cycle().take(CALLS).cloned().collect();
    let remembered = count(&remembered, "VALID");
    let feed = world.wire.asked("feed");
    let [forged, mistyped, malformed] = asked;

    let row = |id: &str, what: &str, ours, goal| Row::alone(id, what, Some(figure(ours)), Some(goal), "");
    let nothing = Goal::Exactly(0.0);
    let once = Goal::Exactly(figure(KEYS as u64));
    vec![
        row("E5", "operations for 1,000 calls with remembered keys", remembered.sum(), nothing),
        row("E5 miss", "KV reads for 100 keys that were not remembered", missed.reads, once),
        row("E5 miss, others", "other operations for these", missed.writes + missed.vault, nothing),
        row("E5 forged", "operations for 1,000 calls with a forged key", forged.sum(), nothing),
        row("E5 mistyped", "operations for 1,000 calls with a mistyped key", mistyped.sum(), nothing),
        row("E5 malformed", "operations for 1,000 calls with texts that are no keys", malformed.sum(), nothing),
        row("E5 writes", "writes into KV during all of these", writes, nothing),
        Row::alone("E5 feed", "times that the feed was read during all of these", Some(figure(feed)), None, ""),
    ]
}

fn ask(edge: &Server, keys: &[String], code: &str) {
    let mut client = Client::new(edge.address);
    for key in keys {
        let answer = client.call("POST", "/v1/verify", &[], json!({"key": key}).to_string().as_bytes()).unwrap();
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
    }
}

/// A count as a figure of a row.
#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn figure(count: u64) -> f64 {
    count as f64
}
