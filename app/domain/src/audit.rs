//! The audit trail as it leaves the vault: one line of JSON for every change, chained by hashes.
//!
//! A line holds the hash of the line before it and ends with its own: the SHA-256 of the line without that
//! last field. So nobody who has the last hash can be shown a trail in which a line was altered, taken
//! out, put in or moved. [`verify`] needs the lines and nothing else.

mod actor;
mod at;
mod chain;
mod table;

pub use actor::{ActorId, NotAnActor};
pub use at::At;
pub use chain::{Chain, Flaw, verify};
pub use table::csv;

use crate::locator::Locator;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The hash that stands before the first line.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What was done to a key or to the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// A key was made.
    #[serde(rename = "key.create")]
    Create,
    /// A key was made like another one.
    #[serde(rename = "key.duplicate")]
    Duplicate,
    /// Something but its being active was changed.
    #[serde(rename = "key.edit")]
    Edit,
    /// A key was switched on.
    #[serde(rename = "key.activate")]
    Activate,
    /// A key was switched off.
    #[serde(rename = "key.deactivate")]
    Deactivate,
    /// A key got a new secret.
    #[serde(rename = "key.rotate")]
    Rotate,
    /// An old secret of a key was ended before its time.
    #[serde(rename = "key.end_secret")]
    EndSecret,
    /// A key was deleted.
    #[serde(rename = "key.delete")]
    Delete,
    /// The deletion of a key was undone.
    #[serde(rename = "key.restore")]
    Restore,
    /// A key that was deleted long ago was removed for good.
    #[serde(rename = "key.purge")]
    Purge,
    /// The settings of the workspace were changed.
    #[serde(rename = "workspace.edit")]
    EditWorkspace,
    /// The workspace was filled from a file.
    #[serde(rename = "workspace.import")]
    Import,
    /// The workspace was written to a file.
    #[serde(rename = "workspace.export")]
    Export,
    /// Somebody signed in.
    #[serde(rename = "session.sign_in")]
    SignIn,
    /// Somebody tried to sign in with a wrong password.
    #[serde(rename = "session.sign_in_failed")]
    SignInFailed,
    /// Somebody signed out.
    #[serde(rename = "session.sign_out")]
    SignOut,
    /// A request that another site sent with somebody's session was refused.
    #[serde(rename = "session.cross_site_refused")]
    CrossSiteRefused,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 17] = [
        Self::Create,
        Self::Duplicate,
        Self::Edit,
        Self::Activate,
        Self::Deactivate,
        Self::Rotate,
        Self::EndSecret,
        Self::Delete,
        Self::Restore,
        Self::Purge,
        Self::EditWorkspace,
        Self::Import,
        Self::Export,
        Self::SignIn,
        Self::SignInFailed,
        Self::SignOut,
        Self::CrossSiteRefused,
    ];

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "key.create",
            Self::Duplicate => "key.duplicate",
            Self::Edit => "key.edit",
            Self::Activate => "key.activate",
            Self::Deactivate => "key.deactivate",
            Self::Rotate => "key.rotate",
            Self::EndSecret => "key.end_secret",
            Self::Delete => "key.delete",
            Self::Restore => "key.restore",
            Self::Purge => "key.purge",
            Self::EditWorkspace => "workspace.edit",
            Self::Import => "workspace.import",
            Self::Export => "workspace.export",
            Self::SignIn => "session.sign_in",
            Self::SignInFailed => "session.sign_in_failed",
            Self::SignOut => "session.sign_out",
            Self::CrossSiteRefused => "session.cross_site_refused",
        }
    }

    /// Returns true if it changes keys or settings. Everything else is only noted: files that were
    /// written or read in, and events of sessions.
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::Import | Self::Export) && !self.is_of_session()
    }

    /// Returns true for an event of a session.
    pub const fn is_of_session(self) -> bool {
        matches!(self, Self::SignIn | Self::SignInFailed | Self::SignOut | Self::CrossSiteRefused)
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// One change, in the order of the fields of its line. A sealed line has its hash after them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Counts the lines of the workspace, from 1 without gaps.
    pub sequence: u64,
    /// When it was done.
    pub at: At,
    /// Who did it; none for what the vault does by itself.
    pub actor: Option<ActorId>,
    /// Their name at that time.
    pub actor_name: String,
    /// What was done.
    pub action: Action,
    /// To which key, if to one.
    pub key: Option<Locator>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// What it was like before.
    pub before: Option<Box<RawValue>>,
    /// What it was like afterwards.
    pub after: Option<Box<RawValue>>,
    /// The caller's network address, as the platform saw it.
    pub address: String,
    /// Id of the request.
    pub request_id: String,
    /// Hash of the line before.
    pub previous: String,
}

/// Writes a line with its hash, which is returned as well.
pub fn seal(line: &Line) -> (String, String) {
    // Numbers and texts, and JSON that is written as it is: there is nothing that cannot be.
    let body = serde_json::to_string(line).unwrap_or_default();
    let hash = hash(&body);
    let open = body.strip_suffix('}').unwrap_or(&body);
    (format!("{open},\"hash\":\"{hash}\"}}"), hash)
}

fn hash(text: &str) -> String {
    use core::fmt::Write;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::line;

    /// Trails are kept for years and verified by other programs, so the text is pinned.
    #[test]
    fn known_answer() {
        let (text, _) = seal(&line(1, BEGINNING, "leaked"));
        assert_eq!(
            text,
            known("2026-11-23T16:46:48.000Z", "81f68429b28274a30fcfb53d1af57f0dc4b2c4fb6b4df92a5d48ad2a7403aa01")
        );
    }

    /// Older lines left out the zeros of their time. They stay as they are.
    #[test]
    fn known_answer_of_an_older_line() {
        let text = known("2026-11-23T16:46:48Z", "c62000e0f2ec797625404bd9d92374ecce263d722fc86a645f49a55b7feba57a");
        assert!(verify([text.as_str()]).is_ok());
        let line: Line = serde_json::from_str(&text).unwrap();
        assert_eq!(seal(&line).0, text);
    }

    fn known(at: &str, hash: &str) -> String {
        format!(
            "{{\"sequence\":1,\"at\":\"{at}\",\"actor\":\"0000000000000001\",\"actor_name\":\"Ada\",\
             \"action\":\"key.deactivate\",\"key\":\"JCgnh3DhfKRFKbvX\",\"reason\":\"leaked\",\
             \"before\":{{\"status\":\"active\"}},\"after\":{{\"status\":\"inactive\"}},\"address\":\"192.0.2.1\",\
             \"request_id\":\"r1\",\"previous\":\"0000000000000000000000000000000000000000000000000000000000000000\",\
             \"hash\":\"{hash}\"}}"
        )
    }

    #[test]
    fn actions_are_read_as_they_were_written() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{}\"", action.as_str()));
        }
    }
}
