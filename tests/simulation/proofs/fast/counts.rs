//! What an edge asks of its compiled code, as it is counted in front of the code itself.

use ownchat_runtime::Worker;
use ownchat_simulation::Caller;
use serde_json::Value;
use std::ops::{Add, Sub};

/// Numbers of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// That came.
    pub calls: u64,
    /// That were given a promise at first, not an answer.
    pub promised: u64,
    /// That were handed to `decide`.
    pub asked: u64,
    /// That it decided.
    pub decided: u64,
    /// That were handed to `look_up`, which may wait.
    pub looked_up: u64,
}

impl Counts {
    /// What an edge has counted so far that was started as [`counting`] makes it.
    pub fn read(caller: &mut Caller) -> Self {
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

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        self.with(more, u64::add)
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        self.with(before, u64::sub)
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("the edge counts its calls")
}

/// An edge that counts.
pub fn counting(edge: Worker) -> Worker {
    edge.entry("entry.mjs", include_str!("entry.mjs")).script("counts.mjs", include_str!("counts.mjs"))
}
