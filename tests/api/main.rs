//! What callers see over HTTP: each test is a rule, in a file named as the address that it is about.
//!
//! One deployment is started for all of them, by the command that people use, and stopped at the end.
//! Every test makes the keys that it needs. Tests that stop a deployment start one of their own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails"
)]

mod client;
mod console;
mod deployment;
mod dev;
mod edge;
mod keys;
mod secrecy;
mod state;
mod stores;

use deployment::Deployment;
use libtest_mimic::{Arguments, Failed, Trial, run};
use std::{process::ExitCode, sync::Arc};

/// A rule: its name, and what shows that it holds.
type Rule = (&'static str, fn(&Deployment));

/// Names rules by their functions: `rules![a_key_is_read, …]`.
macro_rules! rules {
    ($($rule:ident),* $(,)?) => {
        pub const RULES: &[crate::Rule] = &[$((concat!(module_path!(), "::", stringify!($rule)), $rule)),*];
    };
}
use rules;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let files = [
        console::callers::RULES,
        console::cross_site::RULES,
        console::duplicate::RULES,
        console::explain::RULES,
        console::idempotency::RULES,
        console::keys::RULES,
        console::life::RULES,
        console::pages::RULES,
        console::rules::RULES,
        console::session::RULES,
        console::setup::RULES,
        console::transfer::RULES,
        console::usage::RULES,
        dev::RULES,
        edge::gateway::RULES,
        edge::health::RULES,
        edge::key::RULES,
        edge::limits::RULES,
        edge::restrictions::RULES,
        edge::shield::RULES,
        edge::verify::RULES,
        secrecy::RULES,
        state::RULES,
        stores::RULES,
    ];
    if arguments.list {
        let trials = files.concat().into_iter().map(|(name, _)| Trial::test(name, || Ok(()))).collect();
        return run(&arguments, trials).exit_code();
    }
    let deployment = Arc::new(Deployment::set_up());
    let trial = |(name, rule): Rule| {
        let deployment = Arc::clone(&deployment);
        Trial::test(name, move || {
            rule(&deployment);
            Ok::<(), Failed>(())
        })
    };
    let conclusion = run(&arguments, files.concat().into_iter().map(trial).collect());
    drop(deployment);
    conclusion.exit_code()
}
