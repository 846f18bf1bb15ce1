#![doc = include_str!("../README.md")]

pub mod account;
pub mod audit;
pub mod back_off;
pub mod base62;
pub mod checks;
pub mod credential;
pub mod digest;
pub mod environment;
pub mod explain;
pub mod failure;
pub mod feed;
pub mod idempotency;
pub mod json;
pub mod key;
pub mod keyring;
pub mod limit;
pub mod locator;
pub mod log;
pub mod meter;
pub mod miss_limiter;
pub mod network;
pub mod principal;
pub mod problem;
pub mod query;
pub mod record;
pub mod role;
pub mod route;
pub mod scope;
pub mod text;
pub mod time;
pub mod token;
pub mod transfer;
pub mod usage;
pub mod vault;
pub mod verdict;
pub mod wire;

#[cfg(test)]
mod testing;
