//! Tests of the console: its API, in one file per path, and the rules for all of its pages.

pub mod callers;
pub mod cross_site;
pub mod duplicate;
pub mod explain;
pub mod forms;
pub mod grants;
pub mod idempotency;
pub mod keys;
pub mod life;
pub mod load;
pub mod messages;
pub mod pages;
pub mod rules;
pub mod search;
pub mod session;
pub mod setup;
pub mod texts;
pub mod transfer;
pub mod usage;
