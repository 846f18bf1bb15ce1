//! Set-up of the first workspace.

pub const TITLE: &str = "Set up Ownchat";
pub const LEAD: &str = "Create your workspace. You'll be its owner.";
pub const NAME: &str = "Your name";
pub const WORKSPACE: &str = "Business name";
pub const WORKSPACE_HINT: &str = "Shown to your team.";
pub const BUTTON: &str = "Create workspace";

/// Title and text if an owner exists.
pub const DONE: (&str, &str) = ("Ownchat is already set up", "Sign in to continue.");
/// Title and text if the token is wrong or too old.
pub const EXPIRED: (&str, &str) =
    ("This set-up link has expired", "Links work for 15 minutes. Restart Ownchat and open the new link it prints.");
/// Title and text after too many wrong tokens.
pub const TOO_MANY: (&str, &str) =
    ("Too many wrong set-up links", "Wait a little, then open the link that Ownchat printed when it started.");
