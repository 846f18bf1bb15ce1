//! People: how an account is named, what a password must be, and the reference of a session.

use crate::{failure::Failure, failure::Findings, text};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Fewest characters of a password (NIST SP 800-63B; ASVS 6.2.1). More are advised, none are prescribed.
pub const PASSWORD_MIN: usize = 8;
/// Most bytes of a password; more would only serve to keep the hash function busy.
pub const PASSWORD_MAX_BYTES: usize = 1024;

/// Number of an account, random. In text 16 hexadecimal digits.
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

/// What the browser holds of a session: which account, and 128 random bits. The value of the cookie.
#[derive(Clone)]
pub struct SessionToken {
    /// Whose session it is; says which object to ask.
    pub person: PersonId,
    secret: Zeroizing<[u8; 16]>,
}

/// What is stored of a session: SHA-256 of its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHash([u8; 32]);

impl SessionToken {
    /// A session of `person` with 16 bytes from a cryptographic random generator.
    pub fn new(person: PersonId, secret: [u8; 16]) -> Self {
        Self { person, secret: Zeroizing::new(secret) }
    }

    /// Reads the value of a cookie.
    pub fn parse(value: &str) -> Option<Self> {
        let (person, secret) = value.split_once('.')?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self::new(person.parse().ok()?, secret))
    }

    /// The value of the cookie. Goes into `Set-Cookie` and nowhere else.
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}.{}", self.person, URL_SAFE_NO_PAD.encode(*self.secret)))
    }

    /// What may be stored of it.
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(*self.secret).into())
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionToken({}, …)", self.person)
    }
}

impl SessionHash {
    /// The bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A password in plain text, on its way to the hash function. Cannot be printed or serialised.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The plain text, for the hash function.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it could be anybody's password; checked before it is hashed.
    pub fn is_plausible(&self) -> bool {
        !self.0.is_empty() && self.0.len() <= PASSWORD_MAX_BYTES
    }

    fn check(&self) -> Result<(), String> {
        if self.0.chars().count() < PASSWORD_MIN {
            return Err(format!("Choose at least {PASSWORD_MIN} characters; a few words in a row are good."));
        }
        if self.0.len() > PASSWORD_MAX_BYTES {
            return Err(format!("At most {PASSWORD_MAX_BYTES} bytes are possible."));
        }
        Ok(())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Brings an e-mail address into the one form in which it is compared and stored.
///
/// Only what every mail system agrees on is checked: one `@` with something before it, a domain
/// after it, no spaces, at most 254 bytes (RFC 5321). Capitals do not matter.
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
    if sound { Ok(text) } else { Err("Write an e-mail address such as ada@example.com.".into()) }
}

/// What the first owner types to set the deployment up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupRequest {
    /// The one-time token of the set-up link.
    pub token: String,
    /// The owner's name, 1 to 100 characters.
    pub name: String,
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's password, at least [`PASSWORD_MIN`] characters.
    pub password: Password,
    /// Name of the first workspace, 1 to 100 characters.
    pub workspace: String,
}

impl SetupRequest {
    /// The request with its texts in their stored form, or everything that is wrong with it.
    pub fn check(&self) -> Result<Self, Failure> {
        let mut findings = Findings::default();
        let name = findings.take("name", text::line(&self.name, 100));
        let email = findings.take("email", email(&self.email));
        let password = findings.take("password", self.password.check());
        let workspace = findings.take("workspace", text::line(&self.workspace, 100));
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
        findings.finish(checked)
    }
}

/// What a person types to sign in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The account's e-mail address.
    pub email: String,
    /// The account's password.
    pub password: Password,
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
    fn passwords_have_a_length_and_nothing_else() {
        for (password, good) in [
            ("1234567", false),
            ("12345678", true),
            ("ünïcödé!", true),
            ("with spaces and \0 too", true),
            (&"x".repeat(1024), true),
            (&"x".repeat(1025), false),
        ] {
            assert_eq!(Password::from(password.to_owned()).check().is_ok(), good, "{password}");
        }
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

    #[test]
    fn a_session_survives_its_cookie_and_shows_itself_nowhere_else() {
        let session = SessionToken::new(PersonId(0xab), [7; 16]);
        let value = session.reveal();
        assert_eq!(*value, "00000000000000ab.BwcHBwcHBwcHBwcHBwcHBw");
        let read = SessionToken::parse(&value).unwrap();
        assert_eq!((read.person, read.hash()), (session.person, session.hash()));
        assert!(!format!("{session:?}").contains("BwcH"));
        for bad in
            ["", ".", "ab.BwcHBwcHBwcHBwcHBwcHBw", "00000000000000AB.BwcHBwcHBwcHBwcHBwcHBw", "00000000000000ab.BwcH"]
        {
            assert!(SessionToken::parse(bad).is_none(), "{bad}");
        }
    }
}
