//! Simulated clock: faster than the real one, able to skip time, and the same in every process.

use ownchat_domain::time::Timestamp;
use ownchat_runtime::Worker;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Installs this clock in a Worker, with the same arithmetic as below.
const SCRIPT: &str = include_str!("clock.mjs");

/// Simulated time: it passes `factor` times as fast as real time from a common origin. A factor
/// below 1 simulates a faster machine. Copies of a clock are the same clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The moment at which both clocks agree, in milliseconds since 1970.
    origin: i64,
    factor: f64,
    /// Sum of all skips, in milliseconds. Lives as long as the program, so that a clock is `Copy`.
    skipped: &'static AtomicI64,
}

impl Clock {
    /// Starts a clock that agrees with the real one now.
    pub fn start(factor: f64) -> Self {
        let skipped = Box::leak(Box::new(AtomicI64::new(0)));
        Self { origin: i64::try_from(real_micros() / 1_000).unwrap(), factor, skipped }
    }

    /// Simulated seconds per real second.
    pub fn factor(self) -> f64 {
        self.factor
    }

    /// Current simulated time.
    pub fn now(self) -> Timestamp {
        let passed = i64::try_from(real_micros()).unwrap() - self.origin * 1_000;
        Timestamp::from_millis(self.origin + scaled(passed, self.factor / 1_000.0) + self.skipped())
    }

    /// Skips ahead. Readers in this process see it at once; a running Worker keeps its setting.
    pub(crate) fn skip(self, millis: i64) {
        self.skipped.fetch_add(millis, Ordering::Relaxed);
    }

    fn skipped(self) -> i64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Most that a timestamp of a Worker lags behind this clock, in milliseconds. A Worker reads
    /// whole real milliseconds.
    pub fn grain(self) -> i64 {
        scaled(1, self.factor).max(1)
    }

    /// Converts simulated milliseconds to a real duration.
    pub fn real(self, millis: i64) -> Duration {
        Duration::from_millis(u64::try_from(millis.max(0)).unwrap()).div_f64(self.factor)
    }

    /// Sleeps for this many simulated milliseconds.
    pub fn wait(self, millis: i64) {
        thread::sleep(self.real(millis));
    }

    /// Polls a condition for at most `limit` milliseconds. Returns the time until it held, if it
    /// did.
    pub fn until(self, limit: i64, mut is_so: impl FnMut() -> bool) -> Option<i64> {
        let begin = self.now();
        loop {
            if is_so() {
                return Some(self.now().since(begin));
            }
            if self.now().since(begin) > limit {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Puts a Worker and its Durable Objects on this clock, with its current skip.
    pub fn set(self, worker: Worker) -> Worker {
        let settings = format!(
            "export const ORIGIN = {};\nexport const FACTOR = {};\nexport const SKIPPED = {};\n",
            self.origin,
            self.factor,
            self.skipped(),
        );
        let worker = worker.wrap_objects("on-the-clock.mjs", "onTheClock", "clock.mjs");
        worker.script("clock.mjs", SCRIPT).script("clock-settings.mjs", &settings)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a few hours at most")]
fn scaled(time: i64, factor: f64) -> i64 {
    (time as f64 * factor) as i64
}

#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
fn real_micros() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ownchat_domain::time::{HOUR, MINUTE};

    #[test]
    fn it_runs_faster_by_its_factor() {
        let clock = Clock::start(100.0);
        let begin = clock.now();
        let waited = clock.until(60_000, || clock.now().since(begin) >= 2_000).unwrap();
        assert!(waited >= 2_000, "{waited}");
        assert_eq!(clock.real(2_000), Duration::from_millis(20));
    }

    #[test]
    fn all_copies_are_put_forward_at_once() {
        let (clock, other) = (Clock::start(1.0), Clock::start(1.0));
        let copy = clock;
        copy.skip(HOUR);
        copy.skip(HOUR);
        let ahead = clock.now().since(other.now());
        assert!((2 * HOUR - MINUTE..2 * HOUR + MINUTE).contains(&ahead), "{ahead}");
        assert_eq!(clock.real(2_000), Duration::from_secs(2), "it runs as fast as before");
    }
}
