//! Questions to the object of an account.

use super::Call;
use crate::{account::SessionHash, audit::Action};
use serde::{Deserialize, Serialize};

/// Makes the account; doing it twice with the same values changes nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// The person's name.
    pub name: String,
    /// The person's e-mail address, in its stored form.
    pub email: String,
    /// The password's hash as a PHC string.
    pub password: String,
    /// Number of the workspace that the person belongs to.
    pub workspace: u32,
    /// Name of that workspace.
    pub workspace_name: String,
}

impl Call for Found {
    type Answer = ();
    const NAME: &'static str = "found";
}

/// The hash that a password must fit, as a PHC string.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadPassword {}

impl Call for ReadPassword {
    type Answer = String;
    const NAME: &'static str = "read-password";
}

/// Opens a session for somebody whose password was right.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenSession {
    /// Hash of the session's secret.
    pub session: SessionHash,
    /// The caller's address.
    pub address: String,
}

impl Call for OpenSession {
    type Answer = ();
    const NAME: &'static str = "open-session";
}

/// Whose session is this, if it is still good? Prolongs it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resume {
    /// Hash of the session's secret.
    pub session: SessionHash,
}

/// Who is signed in, and where they work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// Number of the workspace.
    pub workspace: u32,
    /// Name of the workspace.
    pub workspace_name: String,
}

impl Call for Resume {
    type Answer = Identity;
    const NAME: &'static str = "resume";
}

/// Something happened that belongs into the audit trail of the workspace.
#[derive(Debug, Serialize, Deserialize)]
pub struct NoteEvent {
    /// An event of a session.
    pub action: Action,
    /// Hash of the session's secret; nothing is noted of one that is not good. None for a sign-in.
    pub session: Option<SessionHash>,
    /// The caller's address.
    pub address: String,
    /// Id of the request.
    pub request_id: String,
}

impl Call for NoteEvent {
    type Answer = ();
    const NAME: &'static str = "note-event";
}

/// Ends a session; one that has ended already stays ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndSession {
    /// Hash of the session's secret.
    pub session: SessionHash,
}

impl Call for EndSession {
    type Answer = ();
    const NAME: &'static str = "end-session";
}
