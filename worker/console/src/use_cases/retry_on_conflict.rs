//! Optimistic concurrency for commands without `If-Match`: retries on the newest version.

use ownchat_domain::failure::Failure;

/// Maximum attempts. After this many conflicts in a row the caller gets the failure.
const TRIES: u32 = 5;

/// Runs a command on the newest version, and again if that changed after it was read.
pub async fn on_newest_version<T>(
    version: impl AsyncFn() -> Result<u64, Failure>,
    command: impl AsyncFn(u64) -> Result<T, Failure>,
) -> Result<T, Failure> {
    for _ in 0..TRIES {
        match command(version().await?).await {
            Err(Failure::Stale) => {}
            outcome => return outcome,
        }
    }
    Err(Failure::Stale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::cell::Cell;

    /// Returns the outcome and the attempts of a command. The first `changes` attempts meet a
    /// conflict.
    fn after(changes: u64) -> (Result<u64, Failure>, u64) {
        let (newest, tried) = (Cell::new(7), Cell::new(0));
        let version = async || Ok(newest.get());
        let command = async |seen: u64| {
            if tried.replace(tried.get() + 1) < changes {
                newest.set(newest.get() + 1);
            }
            if seen == newest.get() { Ok(seen) } else { Err(Failure::Stale) }
        };
        (on_newest_version(version, command).now_or_never().unwrap(), tried.get())
    }

    #[test]
    fn a_change_in_between_is_no_reason_to_fail() {
        assert_eq!(after(0), (Ok(7), 1));
        assert_eq!(after(3), (Ok(10), 4));
        assert_eq!(after(100), (Err(Failure::Stale), 5), "but not for ever");
    }

    #[test]
    fn other_failures_are_told_at_once() {
        let tried = Cell::new(0);
        let command = async |_: u64| {
            tried.set(tried.get() + 1);
            Err::<(), _>(Failure::Forbidden)
        };
        assert_eq!(on_newest_version(async || Ok(1), command).now_or_never().unwrap(), Err(Failure::Forbidden));
        let gone = on_newest_version(async || Err(Failure::NotFound), async |_| Ok(())).now_or_never().unwrap();
        assert_eq!((gone, tried.get()), (Err(Failure::NotFound), 1));
    }
}
