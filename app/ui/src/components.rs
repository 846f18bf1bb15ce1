//! View components that pages and islands share.

pub mod changing;
pub mod field;
pub mod inert;
pub mod named;
pub mod scopes;
