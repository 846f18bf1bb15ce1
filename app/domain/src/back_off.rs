//! Back-off between the attempts of a retry: exponential, with a maximum.
//!
//! The maximum is 4 s for usage batches and returned permits, and 5 min for KV replicas and other
//! tasks of the vault. The feed is retried every second without back-off: revocations wait.

use crate::time::SECOND;

/// Returns the wait after a failed attempt, in milliseconds: 1 s after the first, then doubling up
/// to `max`. `failures` counts the failed attempts before it.
pub fn back_off(failures: i64, max: i64) -> i64 {
    (SECOND << failures.clamp(0, 30)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MINUTE;

    #[test]
    fn wait_doubles_up_to_its_maximum() {
        for (failures, wait) in [(-1, 1), (0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (30, 300), (i64::MAX, 300)] {
            assert_eq!(back_off(failures, 5 * MINUTE), wait * SECOND, "{failures}");
        }
    }
}
