//! Questions to the object that knows the deployment.

use super::Call;
use crate::account::PersonId;
use serde::{Deserialize, Serialize};

/// Is this the set-up token, and may it still be used? A wrong one counts as a failed attempt;
/// refused with `TooMany` when there were too many. An empty one does not count.
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckSetup {
    /// What the caller brought.
    pub token: String,
    /// The caller's network address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
}

impl Call for CheckSetup {
    type Answer = ();
    const NAME: &'static str = "check-setup";
}

/// Makes the first owner and the first workspace. Of several at once, one succeeds.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetUp {
    /// The set-up token.
    pub token: String,
    /// The caller's network address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The owner's name, checked.
    pub name: String,
    /// The owner's e-mail address, in its stored form.
    pub email: String,
    /// The password's hash as a PHC string.
    pub password: String,
    /// Name of the workspace, checked.
    pub workspace: String,
}

impl Call for SetUp {
    type Answer = PersonId;
    const NAME: &'static str = "set-up";
}

/// Somebody wants to sign in: whose e-mail address is this? Counts as a failed attempt until
/// [`ForgetAttempts`] says otherwise; refused with `TooMany` when there were too many.
///
/// Attempts are counted for addresses that nobody has in the same way, so that nobody learns from
/// the answer who has an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BeginSignIn {
    /// In its stored form.
    pub email: String,
    /// The caller's network address.
    pub address: String,
    /// Id of a device from which somebody has signed in to this account before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Call for BeginSignIn {
    type Answer = Option<PersonId>;
    const NAME: &'static str = "begin-sign-in";
}

/// The password of the sign-in that was begun was never looked at, so the attempt does not count.
#[derive(Debug, Serialize, Deserialize)]
pub struct WithdrawAttempt {
    /// As it was begun.
    #[serde(flatten)]
    pub attempt: BeginSignIn,
}

impl Call for WithdrawAttempt {
    type Answer = ();
    const NAME: &'static str = "withdraw-attempt";
}

/// The sign-in that was begun succeeded.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetAttempts {
    /// In its stored form.
    pub email: String,
    /// The caller's network address.
    pub address: String,
    /// As it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Call for ForgetAttempts {
    type Answer = ();
    const NAME: &'static str = "forget-attempts";
}
