//! The use cases that do more than one command of the vault does. Pages and management API share
//! them. A single command is sent by [`caller::call`].

pub mod caller;
pub mod events;
pub mod explain;
pub mod flash;
pub mod keys;
mod last_use_and_quota;
mod retry_on_conflict;
pub mod session;
pub mod usage;
