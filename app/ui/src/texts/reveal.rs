//! One-time display of a key, with copy buttons and a test request.

pub const TITLE_CREATED: &str = "New API key";
pub const TITLE_ROTATED: &str = "New secret";

pub const HEADING: &str = "“@” is ready. Copy its key now";
pub const ONCE: &str = "You won't see this key again. Store it in a secret manager, not in code.";
pub const KEY: &str = "API key";
pub const FIRST_CALL: &str = "Try your first call";
pub const TERMINAL: &str = "Terminal";
pub const DONE: &str = "Done, I stored it";

pub const COPY: &str = "Copy";
pub const COPIED: &str = "Copied";
pub const COPIED_STATUS: &str = "Copied to the clipboard.";
pub const COPY_REFUSED: &str = "Press Ctrl+C: your browser did not let us copy.";

pub const TRY_IT: &str = "Try it";
pub const CALLING: &str = "Calling…";
/// Accessible name of the response.
pub const RESPONSE: &str = "Response";
pub const NO_RESPONSE: &str = "Your browser couldn't reach the API. Try the command in a terminal.";

/// Heading of a form that already created a key.
pub const ALREADY_CREATED: &str = "“@” already exists";
/// Heading of a form that already rotated a key.
pub const ALREADY_ROTATED: &str = "“@” already has a new secret";
pub const SUBMITTED: &str = "This form was submitted before. Keys are shown once, so we can't show it again.";
/// Advice before the effect of a rotation.
pub const NOT_COPIED: &str = "Didn't copy it? Rotate it to get a new secret. ";
