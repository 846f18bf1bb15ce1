//! A clock that runs faster than the real one and can be put forward, the same in every process of the simulation.

use ownchat_domain::time::Timestamp;
use ownchat_runtime::Worker;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Puts the clock of a Worker forward; the same arithmetic as below.
const SCRIPT: &str = include_str!("clock.mjs");

/// Time that passes `factor` times as fast, from one moment on at which both clocks agreed. It may be slower than
/// the real one, too: then this machine is a faster one in the simulation. Copies of a clock are the same clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// When they agreed, in milliseconds since 1970.
    origin: i64,
    factor: f64,
    /// By how much it was put forward since, in milliseconds. Lives as long as the program, so that a clock is copied.
    skipped: &'static AtomicI64,
}

impl Clock {
    /// A clock that agrees with the real one now.
    pub fn start(factor: f64) -> Self {
        let skipped = Box::leak(Box::new(AtomicI64::new(0)));
        Self { origin: i64::try_from(real_micros() / 1_000).unwrap(), factor, skipped }
    }

    /// How many seconds pass on it in a second.
    pub fn factor(self) -> f64 {
        self.factor
    }

    /// What it shows.
    pub fn now(self) -> Timestamp {
        let passed = i64::try_from(real_micros()).unwrap() - self.origin * 1_000;
        Timestamp::from_millis(self.origin + scaled(passed, self.factor / 1_000.0) + self.skipped())
    }

    /// Puts it forward. What reads it in this process sees that at once; a Worker goes on by the clock that it was set to.
    pub(crate) fn skip(self, millis: i64) {
        self.skipped.fetch_add(millis, Ordering::Relaxed);
    }

    fn skipped(self) -> i64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// By how much what a Worker reads of it may be too early, in milliseconds: a Worker reads whole real ones.
    pub fn grain(self) -> i64 {
        scaled(1, self.factor).max(1)
    }

    /// For how long one really waits until so many milliseconds have passed on it.
    pub fn real(self, millis: i64) -> Duration {
        Duration::from_millis(u64::try_from(millis.max(0)).unwrap()).div_f64(self.factor)
    }

    /// Waits until so many milliseconds have passed on it.
    pub fn wait(self, millis: i64) {
        thread::sleep(self.real(millis));
    }

    /// Waits for a condition for at most so many milliseconds. Says how long it took, if it came true.
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

    /// A Worker that lives on this clock, as it is set now, with its Durable Objects.
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
