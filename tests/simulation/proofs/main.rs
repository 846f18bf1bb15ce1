//! Proofs of the promises on the real runtime. Small by default, at full size with `PROVE=1`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a proof that meets what it does not expect fails"
)]

mod clock;
mod crash;
mod fast_path;
mod figures;
mod forged;
mod limits;
mod master_secrets;
mod new_keys;
mod outage;
mod restore;
mod revocation;
mod size;
mod sweep;
mod tampered;
mod transfer;
mod unpublished;
mod usage;
