//! Parts that pages and islands share.

pub mod field;
pub mod reveal;
pub mod scopes;
