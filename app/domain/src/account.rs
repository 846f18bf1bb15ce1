//! Accounts: ids, email addresses, and the requests to set up and to sign in.

mod device;
mod note;
mod password;
mod session;

pub use device::DeviceToken;
pub use note::{NOTE_LIFETIME, open_note, seal_note};
pub use password::{PASSWORD_MAX_BYTES, PASSWORD_MIN, Password};
pub use session::{SessionHash, SessionToken};

use crate::{failure::Failure, failure::FieldErrors, text};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Random id of an account. Its text form is 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PersonId(pub u64);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PersonId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 16 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(());
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| ())
    }
}

impl Serialize for PersonId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PersonId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|()| D::Error::custom("not an account id"))
    }
}

/// Normalises an email address into the one form for comparison and storage.
///
/// Checks only the rules that every mail system shares. These are one `@`, a local part, a domain,
/// no whitespace, and at most 254 bytes (RFC 5321). Case is ignored.
///
/// # Errors
///
/// Returns a message for people if the text is not an email address.
pub fn email(text: &str) -> Result<String, String> {
    let text = text.trim().to_lowercase();
    let sound = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !local.contains('@')
                && !domain.is_empty()
                && !domain.starts_with('.')
                && !domain.ends_with('.')
        });
    if sound { Ok(text) } else { Err("Enter an email address, like ada@example.com.".into()) }
}

/// Request to set up the deployment with its first owner.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// One-time token from the set-up link.
    pub token: String,
    /// Owner's name, 1 to 100 characters.
    pub name: String,
    /// Owner's email address.
    pub email: String,
    /// Owner's password, at least [`PASSWORD_MIN`] characters.
    pub password: Password,
    /// Name of the first workspace, 1 to 100 characters.
    pub workspace: String,
}

impl SetupRequest {
    /// Returns the request with its texts in normalised form.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with every invalid field.
    pub fn check(&self) -> Result<Self, Failure> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", text::line(&self.name, 100));
        let email = errors.take("email", email(&self.email));
        let known: Vec<&str> = vec![&self.name, &self.email, &self.workspace];
        let password = errors.take("password", self.password.check(&known));
        let workspace = errors.take("workspace", text::line(&self.workspace, 100));
        let checked = match (name, email, password, workspace) {
            (Some(name), Some(email), Some(()), Some(workspace)) => Some(Self {
                token: self.token.trim().to_owned(),
                name,
                email,
                password: self.password.clone(),
                workspace,
            }),
            _ => None,
        };
        errors.finish(checked)
    }
}

/// Request to sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// Account's email address.
    pub email: String,
    /// Account's password.
    pub password: Password,
    /// Device token from the operator's `let-in` command, for a browser without a device cookie.
    #[serde(default)]
    pub device: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(email(" Ada@Example.COM "), Ok("ada@example.com".into()));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "a@b@example.com",
            "ada@.com",
            "ada@example.",
            "a\n@b.c",
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
        assert!(email(&format!("{}@example.com", "a".repeat(250))).is_err());
    }

    #[test]
    fn every_fault_of_a_set_up_is_named_at_once() {
        let request = SetupRequest {
            token: "t".into(),
            name: " ".into(),
            email: "nobody".into(),
            password: Password::from("short".to_owned()),
            workspace: "w".repeat(101),
        };
        let Failure::Invalid { errors } = request.check().unwrap_err() else { unreachable!() };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "email", "password", "workspace"]);
    }
}
