//! Whatever comes from outside is answered: without a panic, without hanging, and without taking more memory than
//! its own length allows (see `bounds`). One file for each kind of input.
//!
//! `PROVE=1` tries a hundred times as many cases. A case that fails is kept in `regressions`, is tried first from
//! then on, and belongs into the repository.
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
