//! Commands to the object of an account.

use crate::{account::SessionHash, audit::Action};
use serde::{Deserialize, Serialize};

/// Creates the account. Idempotent for the same values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateAccount {
    /// Name of the person.
    pub name: String,
    /// Email address of the person, in its stored form.
    pub email: String,
    /// Password hash as a PHC string.
    pub password: String,
    /// Number of the person's workspace.
    pub workspace: u32,
    /// Name of that workspace.
    pub workspace_name: String,
}

command!(CreateAccount, "found", ());

/// Reads the password hash of the account, as a PHC string.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadPassword {}

command!(ReadPassword, "read-password", String);

/// Creates a session after a correct password.
#[derive(Debug, Serialize, Deserialize)]
pub struct OpenSession {
    /// Hash of the session secret.
    pub session: SessionHash,
    /// Client IP address.
    pub address: String,
}

command!(OpenSession, "open-session", ());

/// Resumes and extends a session. Fails unless the session is valid.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resume {
    /// Hash of the session secret.
    pub session: SessionHash,
}

/// The signed-in person and their workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Name of the person.
    pub name: String,
    /// Email address of the person.
    pub email: String,
    /// Number of the workspace.
    pub workspace: u32,
    /// Name of the workspace.
    pub workspace_name: String,
}

command!(Resume, "resume", Identity);

/// Records a session event in the audit trail of the workspace.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReportSessionEvent {
    /// The session event.
    pub action: Action,
    /// Hash of the session secret; an invalid session records nothing. `None` for a sign-in.
    pub session: Option<SessionHash>,
    /// Client IP address.
    pub address: String,
    /// Request id.
    pub request_id: String,
}

command!(ReportSessionEvent, "note-event", ());

/// Ends a session. Idempotent.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndSession {
    /// Hash of the session secret.
    pub session: SessionHash,
}

command!(EndSession, "end-session", ());
