//! The signed principal: the header that tells upstream services which key made a request.
//!
//! The edge removes the credential and adds `Ownchat-Principal: v1.BODY.MAC`. BODY is JSON. MAC is
//! the HMAC-SHA-256 of `v1.BODY` under a key that edge and upstreams share. Both are base64url
//! without padding. An upstream accepts a principal if its MAC matches and it has not expired. Its
//! method and path must be those of the request. A header that rewrites the method or path in
//! transit therefore cannot turn an authorized request into another one.

use crate::{
    environment::Environment,
    keyring::MacKey,
    scope::ScopeSet,
    time::{Timestamp, serialize_shortest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// Name of the header.
pub const HEADER: &str = "ownchat-principal";

/// Lifetime of a signed principal, in milliseconds.
pub const LIFETIME: i64 = 60 * crate::time::SECOND;

/// The key that made a request, and its permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Locator of the key.
    pub key_id: String,
    /// Number of the workspace whose data the request accesses.
    pub workspace: u32,
    /// Environment of the key, live or test.
    pub environment: Environment,
    /// All scopes of the key.
    pub scopes: ScopeSet,
    /// Ids of the channels that the key is restricted to; empty for all. The edge knows a request's
    /// channel only if the URL names it, so upstreams must enforce this list as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// HTTP method that the edge authorized.
    pub method: String,
    /// Path that the edge authorized, without the query.
    pub path: String,
    /// Request id; the caller sees the same one.
    pub request_id: String,
    /// Expiry: the principal is invalid from this time on.
    #[serde(serialize_with = "serialize_shortest")]
    pub expires_at: Timestamp,
}

/// The reason that a header is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// The value does not have the form `v1.BODY.MAC`.
    #[error("not a signed principal")]
    Shape,
    /// The MAC does not match.
    #[error("the signature does not fit")]
    Signature,
    /// The principal has expired.
    #[error("expired")]
    Expired,
    /// The principal was signed for another method or path.
    #[error("signed for another request")]
    OtherRequest,
}

impl Principal {
    /// Signs the principal and returns the value of the header.
    pub fn sign(&self, key: &[u8]) -> String {
        // Serialisation cannot fail: every field is text or a number.
        let body = serde_json::to_vec(self).unwrap_or_default();
        let signed = format!("v1.{}", URL_SAFE_NO_PAD.encode(body));
        let mac = MacKey::new(key).mac(&[signed.as_bytes()]);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
    }

    /// Parses the value of the header and verifies it for a request.
    ///
    /// # Errors
    ///
    /// Fails unless `key` signed it, it has not expired, and it was signed for `method` and `path`.
    pub fn verify(header: &str, key: &[u8], method: &str, path: &str, now: Timestamp) -> Result<Self, PrincipalError> {
        let (signed, mac) = header.rsplit_once('.').ok_or(PrincipalError::Shape)?;
        let body = signed.strip_prefix("v1.").ok_or(PrincipalError::Shape)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| PrincipalError::Shape)?;
        if mac.len() != 32 || !MacKey::new(key).verify(&[signed.as_bytes()], &mac) {
            return Err(PrincipalError::Signature);
        }
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| PrincipalError::Shape)?;
        let principal: Self = serde_json::from_slice(&body).map_err(|_| PrincipalError::Shape)?;
        if now >= principal.expires_at {
            Err(PrincipalError::Expired)
        } else if (principal.method.as_str(), principal.path.as_str()) != (method, path) {
            Err(PrincipalError::OtherRequest)
        } else {
            Ok(principal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scopes;

    const KEY: &[u8] = &[5; 32];
    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn principal() -> Principal {
        Principal {
            key_id: "3kP0aXv9QmT2ZbLc".into(),
            workspace: 7,
            environment: Environment::Live,
            scopes: scopes(&["contacts:read"]),
            channels: Vec::new(),
            method: "GET".into(),
            path: "/v1/contacts".into(),
            request_id: "r1".into(),
            expires_at: NOW.plus(LIFETIME),
        }
    }

    /// Pinned: upstreams in other languages verify this text.
    #[test]
    fn known_answer() {
        assert_eq!(
            principal().sign(KEY),
            "v1.eyJrZXlfaWQiOiIza1AwYVh2OVFtVDJaYkxjIiwid29ya3NwYWNlIjo3LCJlbnZpcm9ubWVudCI6ImxpdmUiLCJzY29wZXMiOlsiY29udGFjdHM6cmVhZCJdLCJtZXRob2QiOiJHRVQiLCJwYXRoIjoiL3YxL2NvbnRhY3RzIiwicmVxdWVzdF9pZCI6InIxIiwiZXhwaXJlc19hdCI6IjIwMjYtMTEtMjNUMTY6NDc6NDhaIn0.lX_l0foxG1RdH0ieJl9lnTsp03mhs5am0mka9eptz-Q"
        );
    }

    fn verify(header: &str, key: &[u8], now: Timestamp) -> Result<Principal, PrincipalError> {
        Principal::verify(header, key, "GET", "/v1/contacts", now)
    }

    #[test]
    fn it_is_believed_until_it_expires() {
        let header = principal().sign(KEY);
        assert_eq!(verify(&header, KEY, NOW.plus(LIFETIME - 1)), Ok(principal()));
        assert_eq!(verify(&header, KEY, NOW.plus(LIFETIME)), Err(PrincipalError::Expired));
    }

    #[test]
    fn it_is_believed_for_its_own_request_alone() {
        let header = principal().sign(KEY);
        for (method, path) in [("DELETE", "/v1/contacts"), ("GET", "/v1/contacts/export"), ("get", "/v1/contacts")] {
            let verified = Principal::verify(&header, KEY, method, path, NOW);
            assert_eq!(verified, Err(PrincipalError::OtherRequest), "{method} {path}");
        }
    }

    #[test]
    fn nothing_else_is_believed() {
        let header = principal().sign(KEY);
        assert_eq!(verify(&header, &[6; 32], NOW), Err(PrincipalError::Signature));
        for place in 0..header.len() {
            let mut bytes = header.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(verify(&changed, KEY, NOW).is_err(), "{place}");
            assert!(verify(&header[..place], KEY, NOW).is_err(), "cut at {place}");
        }
    }
}
