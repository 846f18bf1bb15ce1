//! Questions to the objects that hash passwords.

use super::Call;
use crate::account::Password;
use serde::{Deserialize, Serialize, Serializer};

/// Queue of one of the two objects, so that a flood of strangers is in nobody else's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Callers who proved something first: a device that signed in before, or the set-up token.
    Known,
    /// Everybody else.
    Open,
}

impl Queue {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Known, Self::Open];

    /// Its name in a path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Open => "open",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// Hashes a password with a fresh salt, as a PHC string. Refused with `Busy` when too many wait.
#[derive(Debug, Serialize, Deserialize)]
pub struct HashPassword {
    /// The password, checked.
    #[serde(serialize_with = "reveal")]
    pub password: Password,
}

impl Call for HashPassword {
    type Answer = String;
    const NAME: &'static str = "hash-password";
}

/// Does a password fit a hash? Without a hash it never does, and takes as long. Refused with `Busy`
/// when too many wait.
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckPassword {
    /// The password that was typed.
    #[serde(serialize_with = "reveal")]
    pub password: Password,
    /// The hash of the account as a PHC string, if there is an account.
    pub hash: Option<String>,
}

impl Call for CheckPassword {
    type Answer = bool;
    const NAME: &'static str = "check-password";
}

/// A password is written here alone, for the object that hashes it.
fn reveal<S: Serializer>(password: &Password, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(password.reveal())
}
