//! Timeouts of the edge's stores, in milliseconds: KV, revocation feed, registry, meter, usage.
//! Those of forwarded requests stand in `gateway`.

/// KV timeout: a little more than the 99th percentile of a read. Then the registry is queried.
pub const KV: u32 = 1_000;
/// Timeout of a feed read. Then the registry is queried.
pub const FEED: u32 = 1_000;
/// Timeout of a fetch from the registry: an object that starts anew takes a while.
pub const REGISTRY: u32 = 3_000;
/// Timeout of a lease request to a meter.
pub const METER: u32 = 2_000;
/// Timeout of a usage batch; nobody waits for it.
pub const USAGE: u32 = 5_000;
