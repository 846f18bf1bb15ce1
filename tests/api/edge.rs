//! Tests of the edge, in one file per path.

pub mod forward;
pub mod gateway;
pub mod health;
pub mod key;
pub mod limits;
pub mod miss_limiter;
pub mod restrictions;
pub mod verify;
pub mod verify_callers;
