//! Proofs of the promises on the real runtime. Small by default, at full size with `PROVE=1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a proof that meets what it does not expect fails"
)]

mod altered;
mod clock;
mod crash;
mod fast;
mod figures;
mod forged;
mod fresh;
mod limits;
mod loss;
mod masters;
mod outage;
mod revocation;
mod size;
mod sweep;
mod transfer;
mod untold;
mod usage;
