//! The actions of the audit trail.

use super::{quoted, table};
use ownchat_domain::audit::Action;

/// Renders every action, with the event that it records.
pub fn actions() -> String {
    let rows = Action::ALL.map(|action| vec![quoted(action.as_str()), event(action).to_owned()]);
    table(&["Action", "Recorded when"], rows)
}

const fn event(action: Action) -> &'static str {
    match action {
        Action::Create => "a key is created",
        Action::Duplicate => "a key is created from another one",
        Action::Edit => "a key is changed, except for its activation",
        Action::Activate => "a key is activated",
        Action::Deactivate => "a key is deactivated",
        Action::Rotate => "a key gets a new secret",
        Action::EndSecret => "old secrets of a key are ended before their overlap is over",
        Action::Delete => "a key is deleted",
        Action::Restore => "a deleted key is restored",
        Action::Purge => "a deleted key is removed for good, after 30 days",
        Action::EditWorkspace => "the settings are changed",
        Action::Import => "the workspace is filled from a file",
        Action::Export => "the workspace is written to a file",
        Action::SignIn => "a member signs in",
        Action::SignInFailed => "a password is wrong; names the account in `after`, and no actor",
        Action::SignOut => "a member signs out",
        Action::CrossSiteRefused => "a request from another site is refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_listed() {
        let table = actions();
        assert_eq!(table.lines().count(), Action::ALL.len() + 2);
        assert!(table.contains("| `key.rotate` | a key gets a new secret |"), "{table}");
    }
}
