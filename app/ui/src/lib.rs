//! The pages of the console.
//!
//! Every page is rendered on the server and works without JavaScript: links are links, and a form posts
//! to the address of its own page, which answers with what was wrong or with where to go next. A few
//! islands add comfort where WASM runs: the form that makes the secret in the browser, the copy button,
//! the trial call, the confirm dialog.

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
pub mod making;
#[cfg(feature = "ssr")]
pub mod merge;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod request;
#[cfg(feature = "ssr")]
pub mod status;

#[cfg(all(test, feature = "ssr"))]
mod testing;
