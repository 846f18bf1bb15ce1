//! Timeouts of the edge's stores: KV, revocation feed, registry, meter, usage; all in milliseconds.

/// Timeout of a KV read. It is a little above the 99th percentile; then the registry is asked.
pub const KV: u32 = 1_000;
/// Timeout of a feed read; then the registry is asked.
pub const FEED: u32 = 1_000;
/// Timeout of a record from the registry. An object that starts anew takes a while.
pub const REGISTRY: u32 = 3_000;
/// Timeout of a lease from a meter.
pub const METER: u32 = 2_000;
/// Timeout of a usage batch; nobody waits for it.
pub const USAGE: u32 = 5_000;
