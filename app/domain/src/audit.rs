//! Audit trail as exported from the vault: one JSON line per change, chained by hashes.
//!
//! A line holds the hash of the previous line and ends with its own hash. That hash is the SHA-256
//! of the line without its last field. With the last hash, a reader detects any line that was
//! altered, removed, inserted or moved. [`verify`] needs nothing but the lines.

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

/// Hash that precedes the first line.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An audited action on a key, a workspace or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// A key was created.
    #[serde(rename = "key.create")]
    Create,
    /// A key was duplicated from another one.
    #[serde(rename = "key.duplicate")]
    Duplicate,
    /// A key was changed, except for its activation.
    #[serde(rename = "key.edit")]
    Edit,
    /// A key was activated.
    #[serde(rename = "key.activate")]
    Activate,
    /// A key was deactivated.
    #[serde(rename = "key.deactivate")]
    Deactivate,
    /// A key was rotated: it got a new secret.
    #[serde(rename = "key.rotate")]
    Rotate,
    /// An old secret of a key was revoked before its grace period ended.
    #[serde(rename = "key.end_secret")]
    EndSecret,
    /// A key was deleted.
    #[serde(rename = "key.delete")]
    Delete,
    /// A deleted key was restored.
    #[serde(rename = "key.restore")]
    Restore,
    /// A deleted key was purged after its restore period.
    #[serde(rename = "key.purge")]
    Purge,
    /// Workspace settings were changed.
    #[serde(rename = "workspace.edit")]
    EditWorkspace,
    /// The workspace was imported from a file.
    #[serde(rename = "workspace.import")]
    Import,
    /// The workspace was exported to a file.
    #[serde(rename = "workspace.export")]
    Export,
    /// A person signed in.
    #[serde(rename = "session.sign_in")]
    SignIn,
    /// A sign-in failed with a wrong password.
    #[serde(rename = "session.sign_in_failed")]
    SignInFailed,
    /// A person signed out.
    #[serde(rename = "session.sign_out")]
    SignOut,
    /// A cross-site request with a person's session was refused.
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

    /// Returns the name as stored and displayed.
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

    /// Returns true if the action changes keys or settings.
    ///
    /// Exports, imports and session events are only recorded.
    pub const fn is_change(self) -> bool {
        !matches!(self, Self::Import | Self::Export) && !self.is_of_session()
    }

    /// Returns true for a session event.
    pub const fn is_of_session(self) -> bool {
        matches!(self, Self::SignIn | Self::SignInFailed | Self::SignOut | Self::CrossSiteRefused)
    }

    /// Parses a stored name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// One line of the trail, with its fields in serialised order. A sealed line ends with its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Sequence number within the workspace, from 1 without gaps.
    pub sequence: u64,
    /// Time of the action.
    pub at: At,
    /// Actor; `None` for actions of the vault itself.
    pub actor: Option<ActorId>,
    /// Name of the actor at that time.
    pub actor_name: String,
    /// Audited action.
    pub action: Action,
    /// Key concerned, if the action concerns one.
    pub key: Option<Locator>,
    /// Reason in the actor's words.
    pub reason: Option<String>,
    /// State before the action, as JSON.
    pub before: Option<Box<RawValue>>,
    /// State after the action, as JSON.
    pub after: Option<Box<RawValue>>,
    /// Client IP, as the platform saw it.
    pub address: String,
    /// Request id.
    pub request_id: String,
    /// Hash of the previous line.
    pub previous: String,
}

/// Serialises a line with its hash. Returns the text and the hash.
pub fn seal(line: &Line) -> (String, String) {
    // Serialising cannot fail: a line holds numbers, texts and raw JSON.
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

    /// Older lines omit the zeros of their time. They stay unchanged.
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
