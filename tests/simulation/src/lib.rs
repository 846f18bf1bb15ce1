#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a simulation that meets what it does not expect fails"
)]

mod alarms;
mod clock;
mod fault;
mod kv;
mod latency;
mod load;
mod net;
mod twin;
mod wire;
mod world;

pub use clock::Clock;
pub use fault::Fault;
pub use kv::{Kv, KvCounts};
pub use latency::Latency;
pub use load::Load;
pub use net::Net;
pub use twin::Twin;
pub use wire::{Wire, kind_of};
pub use world::{EdgeClient, VerifyRequest, World, WorldConfig};
