//! Page that keeps a posted form, to submit it again.

pub const SIGNED_OUT: &str = "Sign in to continue";
pub const SIGNED_OUT_TEXT: &str = "We kept what you entered.";
pub const SIGN_IN: &str = "Sign in in a new tab";
pub const COME_BACK: &str = "Come back to this page and press Send again.";

/// Text after a request without a response.
pub const UNSURE: &str = "We're not sure that worked. We kept what you entered.";
/// Sentence around the link [`LIST`], in two parts.
pub const CHECK: (&str, &str) = ("Check ", ". If your change is not there, press Send again in a moment.");
pub const LIST: &str = "the list of keys";

pub const SEND_AGAIN: &str = "Send again";
