//! Session cookie: a signed token for the browser, and its hash for the store.

use super::PersonId;
use crate::keyring::CookieKeys;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use core::fmt;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A session token as the browser holds it: account id, 128 random bits and our MAC.
///
/// The MAC exposes a forged session before any Durable Object is called or created.
#[derive(Clone)]
pub struct SessionToken {
    /// Owner of the session; names the Durable Object to call.
    pub person: PersonId,
    secret: Zeroizing<[u8; 16]>,
}

/// Stored form of a session: SHA-256 of its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHash([u8; 32]);

impl SessionToken {
    /// Creates a session of `person` from 16 bytes of a cryptographic random generator.
    pub fn new(person: PersonId, secret: [u8; 16]) -> Self {
        Self { person, secret: Zeroizing::new(secret) }
    }

    /// Verifies and parses a cookie value. Returns `None` unless one of `keys` signed it.
    pub fn open(value: &str, keys: &CookieKeys) -> Option<Self> {
        let mut parts = value.splitn(3, '.');
        let mut next = || parts.next();
        let (person, secret, tag) = (next()?.parse().ok()?, next()?, next()?);
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        let token = Self::new(person, secret);
        keys.verify(&token.signed(), &URL_SAFE_NO_PAD.decode(tag).ok()?).then_some(token)
    }

    /// Returns the cookie value, for `Set-Cookie` and nowhere else.
    pub fn reveal(&self, keys: &CookieKeys) -> Zeroizing<String> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Zeroizing::new(format!("{}.{}.{}", self.person, encode(&*self.secret), encode(&keys.tag(&self.signed()))))
    }

    /// Returns the bytes under the MAC. Each part has a fixed length.
    fn signed(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([b"session".as_slice(), &self.person.0.to_be_bytes(), &*self.secret].concat())
    }

    /// Returns the hash to store.
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
    /// Returns the bytes, for a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn keys(list: &str) -> CookieKeys {
        CookieKeys::parse(list).unwrap()
    }

    #[test]
    fn a_session_survives_its_cookie_and_shows_itself_nowhere_else() {
        let (session, keys) = (SessionToken::new(PersonId(0xab), [7; 16]), keys(&format!("1:{A}")));
        let value = session.reveal(&keys);
        assert!(value.starts_with("00000000000000ab.BwcHBwcHBwcHBwcHBwcHBw."), "{}", *value);
        let read = SessionToken::open(&value, &keys).unwrap();
        assert_eq!((read.person, read.hash()), (session.person, session.hash()));
        assert!(!format!("{session:?}").contains("BwcH"));
    }

    #[test]
    fn a_session_that_was_made_up_is_none() {
        let keys = keys(&format!("1:{A}"));
        let good = SessionToken::new(PersonId(0xab), [7; 16]).reveal(&keys);
        for place in 0..good.len() {
            let mut changed = good.to_string().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            // The last base64 character of a part has unused bits, which must be zero.
            let changed = String::from_utf8(changed).unwrap();
            assert!(SessionToken::open(&changed, &keys).is_none(), "{place}: {changed}");
            assert!(SessionToken::open(&good[..place], &keys).is_none(), "cut at {place}");
        }
        for bad in
            ["", ".", "..", "00000000000000ab.BwcHBwcHBwcHBwcHBwcHBw", "00000000000000ab.BwcHBwcHBwcHBwcHBwcHBw."]
        {
            assert!(SessionToken::open(bad, &keys).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_session_outlives_a_new_master_secret() {
        let value = SessionToken::new(PersonId(1), [7; 16]).reveal(&keys(&format!("1:{A}")));
        assert!(SessionToken::open(&value, &keys(&format!("1:{A},2:{B}"))).is_some());
        assert!(SessionToken::open(&value, &keys(&format!("2:{B}"))).is_none());
    }
}
