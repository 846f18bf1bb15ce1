//! Size of the proofs.

use std::env;

/// Returns true if `PROVE=1` asks for the full size.
pub fn is_full() -> bool {
    env::var_os("PROVE").is_some_and(|value| value == "1")
}

/// Picks the daily size or the full one.
pub fn size<T>(daily: T, full: T) -> T {
    if is_full() { full } else { daily }
}
