//! Commands to the single object of the deployment: set-up and sign-in attempts.

use crate::account::PersonId;
use serde::{Deserialize, Serialize};

/// Checks that a set-up token is correct and unused. A wrong token counts as a failed attempt; an
/// empty one does not. Fails with `TooMany` after too many attempts.
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckSetup {
    /// The presented token.
    pub token: String,
    /// Client IP address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
}

command!(CheckSetup, "check-setup", ());

/// Creates the first owner and the first workspace. Of concurrent requests, one succeeds.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetUp {
    /// The set-up token.
    pub token: String,
    /// Client IP address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Validated name of the owner.
    pub name: String,
    /// Email address of the owner, in its stored form.
    pub email: String,
    /// Password hash as a PHC string.
    pub password: String,
    /// Validated name of the workspace.
    pub workspace: String,
}

command!(SetUp, "set-up", PersonId);

/// Begins a sign-in and looks up the account of an email address. It counts as a failed attempt
/// until [`ForgetAttempts`] clears it. Fails with `TooMany` after too many attempts.
///
/// Attempts on unknown email addresses count in the same way, so the response does not reveal which
/// accounts exist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BeginSignIn {
    /// Email address in its stored form.
    pub email: String,
    /// Client IP address.
    pub address: String,
    /// Id of a device that signed in to this account before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

command!(BeginSignIn, "begin-sign-in", Option<PersonId>);

/// Withdraws a sign-in attempt whose password was never checked, so it does not count.
#[derive(Debug, Serialize, Deserialize)]
pub struct WithdrawAttempt {
    /// The attempt as it began.
    #[serde(flatten)]
    pub attempt: BeginSignIn,
}

command!(WithdrawAttempt, "withdraw-attempt", ());

/// Clears the failed attempts after a successful sign-in.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetAttempts {
    /// Email address in its stored form.
    pub email: String,
    /// Client IP address.
    pub address: String,
    /// Device id, as in [`BeginSignIn`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

command!(ForgetAttempts, "forget-attempts", ());
