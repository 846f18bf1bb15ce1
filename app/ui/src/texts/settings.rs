//! Settings.

pub const WORKSPACE: &str = "Workspace";
pub const ACCOUNT: &str = "Account";
pub const DEVELOPER: &str = "Developer";
pub const NAME: &str = "Name";
pub const API_KEYS_TEXT: &str = "Create keys, choose what each one can do, and turn them off.";
pub const DOCS: &str = "Documentation";
pub const DOCS_TEXT: &str = "Send and verify keys, handle limits and errors, rotate secrets, run the service.";
