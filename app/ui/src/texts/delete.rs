//! Deletion of a key: dialog, and the page that replaces it without WASM.

use super::common::isolated;
use ownchat_domain::key::Key;

/// The link that opens the dialog.
pub const LINK: &str = "Delete";
/// The button that deletes.
pub const BUTTON: &str = "Delete key";
/// Title of the page.
pub const TITLE: &str = "Delete API key";
pub const QUESTION: &str = "Delete “@”?";
pub const CONSEQUENCE: &str = "Calls with this key stop working within 5 seconds. You can restore it for 30 days. Where the edge is cut off \
                               from us, calls may work until the outage that your workspace allows is over.";
/// Error of a form whose checkbox is empty.
pub const NOT_TICKED: &str = "Tick this box first: nothing was deleted.";

/// Label of the checkbox. Names the integration if it is known, or else the key.
pub fn intent(key: &Key) -> String {
    let user = if key.integration.is_empty() {
        format!("The integration that uses “{}”", isolated(key.name.clone()))
    } else {
        isolated(key.integration.clone())
    };
    format!("{user} will stop working. I've checked.")
}

/// Details that distinguish a key from others with the same name.
pub fn details(key: &Key) -> String {
    format!("{}…, created on {} by {}", key.prefix, key.created_at.day_in_utc(), key.created_by)
}
