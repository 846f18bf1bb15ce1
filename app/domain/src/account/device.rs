//! Device cookie: marks a browser that has signed in to the account before.
//!
//! Failed sign-ins from other devices never delay such a device (OWASP, "device cookies"). The
//! cookie proves nothing else: the password is still required.

use crate::keyring::CookieKeys;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// 128 random bits that identify a device of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceToken([u8; 16]);

impl DeviceToken {
    /// Creates a token from 16 bytes of a cryptographic random generator.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Verifies and parses a cookie value.
    ///
    /// Returns `None` unless one of `keys` signed it for the account with this email address.
    pub fn open(value: &str, email: &str, keys: &CookieKeys) -> Option<Self> {
        let (id, tag) = value.split_once('.')?;
        let device = Self(URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?);
        keys.verify(&device.signed(email), &URL_SAFE_NO_PAD.decode(tag).ok()?).then_some(device)
    }

    /// Returns the signed cookie value.
    pub fn reveal(self, email: &str, keys: &CookieKeys) -> String {
        format!("{}.{}", self.id(), URL_SAFE_NO_PAD.encode(keys.tag(&self.signed(email))))
    }

    /// Returns the device id under which failed sign-ins are counted.
    pub fn id(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    fn signed(self, email: &str) -> Vec<u8> {
        [b"device".as_slice(), &self.0, email.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_to_its_own_account_alone() {
        let keys = CookieKeys::parse("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let device = DeviceToken::new([9; 16]);
        let value = device.reveal("ada@example.com", &keys);
        assert_eq!(DeviceToken::open(&value, "ada@example.com", &keys), Some(device));
        assert_eq!(DeviceToken::open(&value, "eve@example.com", &keys), None);
        for bad in ["", ".", "x.y", "CQkJCQkJCQkJCQkJCQkJCQ", "CQkJCQkJCQkJCQkJCQkJCQ."] {
            assert_eq!(DeviceToken::open(bad, "ada@example.com", &keys), None, "{bad}");
        }
    }
}
