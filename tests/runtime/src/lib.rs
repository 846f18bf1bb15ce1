#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test or benchmark that meets what it does not expect fails"
)]

mod admin;
mod client;
mod config;
mod folder;
mod process;
mod worker;
mod workers;

pub use admin::{Admin, Made, new_key, secret, token};
pub use client::{Answer, HttpClient};
pub use folder::Folder;
pub use process::Process;
pub use worker::{BindingTarget, Module, Worker};
pub use workers::{JSON, MASTER_KEYS, PRINCIPAL_KEY, SERVICE, SERVICE_TOKENS, SETUP_TOKEN, edge, no_kv, vault};

use std::{
    env,
    path::{Path, PathBuf},
    time::Instant,
};

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The folder of the builds to run: those of the mode in `OWNCHAT_MODE`, by default `release`.
pub(crate) fn built() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target).join("built").join(env::var("OWNCHAT_MODE").unwrap_or_else(|_| "release".into()))
}

/// The clock of this machine.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
pub fn moment() -> Instant {
    Instant::now()
}
