//! How large a proof is.

use std::env;

/// Whether the full size was asked for.
pub fn is_full() -> bool {
    env::var_os("PROVE").is_some_and(|value| value == "1")
}

/// The size for every day, or the full one.
pub fn size<T>(daily: T, full: T) -> T {
    if is_full() { full } else { daily }
}
