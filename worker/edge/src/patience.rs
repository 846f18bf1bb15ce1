//! How long the edge waits for others.

use futures_util::future::{Either, select};
use ownchat_domain::time::Timestamp;
use std::{future::Future, pin::pin, time::Duration};
use worker::{Delay, Error, Result};

/// For a copy of a key in KV, in milliseconds: a little more than its slowest hundredth takes. Then the registry is
/// asked.
pub const KV: u64 = 1_000;
/// For the feed of changes, in milliseconds. Then the registry is asked.
pub const FEED: u64 = 1_000;
/// For the truth about a key, in milliseconds: an object that starts anew takes a while.
pub const REGISTRY: u64 = 3_000;
/// For permits, in milliseconds.
pub const METER: u64 = 2_000;
/// For counts to be taken in, in milliseconds; nobody waits for that.
pub const USAGE: u64 = 10_000;

/// What a future gives, if it does within so many milliseconds.
pub async fn within<T>(millis: u64, future: impl Future<Output = Result<T>>) -> Result<T> {
    match select(pin!(future), pin!(pause(millis))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(Error::RustError(format!("no answer within {millis} ms"))),
    }
}

/// Waits for so many milliseconds.
pub async fn pause(millis: u64) {
    Delay::from(Duration::from_millis(millis)).await;
}

/// Waits until a time.
pub async fn until(due: Timestamp, now: Timestamp) {
    if let Ok(millis @ 1..) = u64::try_from(due.since(now)) {
        pause(millis).await;
    }
}
