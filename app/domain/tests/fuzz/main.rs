//! Fuzz tests of every parser of outside input, one file per kind of input. A parser never panics
//! or hangs, and its memory is proportional to the input (see `bounds`).
//!
//! `PROVE=1` runs a hundred times as many cases. The file `regressions` stores failed cases, which
//! run first from then on. Commit it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bodies;
mod bounds;
mod drafts;
mod feed;
mod good;
mod meter;
mod networks;
mod records;
mod texts;
mod times;
mod tokens;
mod trail;
mod transfer;
mod usage;
