//! Counters in front of the compiled code of an edge.

use ownchat_runtime::Worker;
use ownchat_simulation::EdgeClient;
use serde_json::Value;
use std::ops::{Add, Sub};

/// Numbers of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Requests that arrived.
    pub calls: u64,
    /// Requests that first got a promise, not a response.
    pub promised: u64,
    /// Calls of `decide`.
    pub asked: u64,
    /// Requests that `decide` decided.
    pub decided: u64,
    /// Calls of `look_up`, which may wait.
    pub looked_up: u64,
}

impl CallCounts {
    /// Reads the counts of an edge that [`counting`] has prepared.
    pub fn read(caller: &mut EdgeClient) -> Self {
        let counts = caller.call("GET", "/counts", &[], b"").json();
        let [calls, promised, asked, decided, looked_up] =
            ["calls", "promised", "asked", "decided", "lookedUp"].map(|name| number(&counts[name]));
        Self { calls, promised, asked, decided, looked_up }
    }

    fn with(self, other: Self, each: fn(u64, u64) -> u64) -> Self {
        Self {
            calls: each(self.calls, other.calls),
            promised: each(self.promised, other.promised),
            asked: each(self.asked, other.asked),
            decided: each(self.decided, other.decided),
            looked_up: each(self.looked_up, other.looked_up),
        }
    }
}

impl Add for CallCounts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        self.with(more, u64::add)
    }
}

impl Sub for CallCounts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        self.with(before, u64::sub)
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("the edge counts its calls")
}

/// Prepares an edge that counts its calls.
pub fn counting(edge: Worker) -> Worker {
    edge.entry("entry.mjs", include_str!("entry.mjs")).script("counts.mjs", include_str!("counts.mjs"))
}
