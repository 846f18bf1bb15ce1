//! Overview, the default page after sign-in.

pub const CONNECT: &str = "Connect your systems";
pub const CONNECT_TEXT: &str = "Give each integration its own API key, with only the access it needs.";
pub const READ_DOCS: &str = "Read the docs";
