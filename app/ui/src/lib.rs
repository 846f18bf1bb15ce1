#![doc = include_str!("../README.md")]
#![allow(clippy::needless_pass_by_value, reason = "components own what they are given")]

pub mod actions;
pub mod components;
pub mod draft;
pub mod islands;
pub mod paths;
pub mod texts;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod backend;
#[cfg(feature = "ssr")]
pub mod flash;
#[cfg(feature = "ssr")]
pub mod layout;
#[cfg(feature = "ssr")]
pub mod merge;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod request;
#[cfg(feature = "ssr")]
pub mod status;

#[cfg(test)]
#[cfg(feature = "ssr")]
mod testing;
