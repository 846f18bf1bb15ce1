//! View components that pages and islands share.

pub mod changing;
pub mod field;
pub mod scopes;
