//! The promises, each shown on the real runtime. Small enough for every day; with `PROVE=1` at full size.
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

use libtest_mimic::{Arguments, Failed, Trial, run};
use std::process::ExitCode;

/// A promise: its name, and what shows that it is kept.
type Proof = (&'static str, fn());

/// Names proofs by their functions: `proofs![a_clock_runs_faster, …]`.
macro_rules! proofs {
    ($($proof:ident),* $(,)?) => {
        pub const PROOFS: &[crate::Proof] = &[$((concat!(module_path!(), "::", stringify!($proof)), $proof)),*];
    };
}
use proofs;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each keeps all processors busy.
    arguments.test_threads = Some(1);
    let trial = |(name, proof): Proof| {
        Trial::test(name.strip_prefix("proofs::").unwrap_or(name), move || {
            proof();
            Ok::<(), Failed>(())
        })
    };
    run(
        &arguments,
        [
            clock::PROOFS,
            altered::PROOFS,
            crash::PROOFS,
            revocation::PROOFS,
            fresh::PROOFS,
            fast::PROOFS,
            limits::PROOFS,
            loss::PROOFS,
            forged::PROOFS,
            outage::PROOFS,
            untold::PROOFS,
            usage::PROOFS,
            sweep::PROOFS,
            masters::PROOFS,
            transfer::PROOFS,
        ]
        .concat()
        .into_iter()
        .map(trial)
        .collect(),
    )
    .exit_code()
}
