//! Texts of the pages and islands, for people: one module per surface.
//!
//! A text with a number or a time in it is a function. A text with a name in it has the mark
//! [`common::NAME`] in its place. Errors of fields and texts of scopes come from `ownchat-domain`,
//! because the API shares them.
#![allow(missing_docs, reason = "a text says itself what its name says")]

pub mod common;
pub mod conflict;
pub mod delete;
pub mod deleted_key;
pub mod failure;
pub mod flash;
pub mod frame;
pub mod home;
pub mod key_form;
pub mod key_page;
pub mod keys;
pub mod password;
pub mod restrictions;
pub mod resubmit;
pub mod reveal;
pub mod rotate;
pub mod settings;
pub mod setup;
pub mod sign_in;
