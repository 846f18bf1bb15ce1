//! Commands to the password hashing objects.

use crate::account::Password;
use serde::{Deserialize, Serialize, Serializer};

/// Queue of a hashing object: one per trust level, so a flood of unknown clients delays only
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Clients with a proof: a device that signed in before, or the set-up token.
    Known,
    /// All other clients.
    Open,
}

impl Queue {
    /// Both queues.
    pub const ALL: [Self; 2] = [Self::Known, Self::Open];

    /// Name of the queue in a path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Open => "open",
        }
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// Hashes a password with a fresh salt, as a PHC string. Fails with `Busy` if too many wait.
#[derive(Debug, Serialize, Deserialize)]
pub struct HashPassword {
    /// The validated password.
    #[serde(serialize_with = "reveal")]
    pub password: Password,
}

command!(HashPassword, "hash-password", String);

/// Verifies a password against a hash. Without a hash it returns false and takes as long. Fails
/// with `Busy` if too many wait.
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckPassword {
    /// The password to verify.
    #[serde(serialize_with = "reveal")]
    pub password: Password,
    /// Hash of the account as a PHC string; `None` if the account does not exist.
    pub hash: Option<String>,
}

command!(CheckPassword, "check-password", bool);

/// The only place that serialises a password, for the object that hashes it.
fn reveal<S: Serializer>(password: &Password, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(password.reveal())
}
