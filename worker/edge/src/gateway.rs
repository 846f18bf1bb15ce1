//! The gateway: a call that was checked goes on to the Ownchat services, without its key and with a
//! signed principal. `gateway.mjs` carries it.

use ownchat_domain::{
    credential,
    principal::{self, Principal},
    record::Record,
    time::Timestamp,
};

/// Headers of one connection (RFC 9110, section 7.6.1), and those that only the platform or the edge may set.
const OF_ONE_CONNECTION: &[&str] = &[
    "connection",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "forwarded",
    "request-id",
    "x-real-ip",
    "true-client-ip",
    principal::HEADER,
];

/// Headers that are passed on in neither direction, by their whole names in small letters.
pub fn hidden() -> impl Iterator<Item = &'static str> {
    credential::HEADERS.into_iter().chain(OF_ONE_CONNECTION.iter().copied())
}

/// The same for headers whose names begin so.
pub const HIDDEN_BEGINNINGS: &[&str] = &["cf-", "x-forwarded-"];

/// Who is calling, signed for the services.
pub fn vouch(record: &Record, request_id: &str, key: &[u8], now: Timestamp) -> String {
    Principal {
        key_id: record.locator.to_string(),
        workspace: record.workspace.number,
        environment: record.environment,
        scopes: record.scopes,
        channels: record.channels.clone(),
        request_id: request_id.to_owned(),
        expires_at: now.plus(principal::LIFETIME),
    }
    .sign(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_and_no_header_that_claims_something_passes() {
        let passes = |name: &str| {
            !hidden().any(|hidden| hidden == name) && !HIDDEN_BEGINNINGS.iter().any(|begin| name.starts_with(begin))
        };
        for name in [
            "authorization",
            "x-api-key",
            "cookie",
            "ownchat-principal",
            "cf-connecting-ip",
            "x-forwarded-for",
            "x-real-ip",
            "transfer-encoding",
        ] {
            assert!(!passes(name), "{name}");
        }
        for name in ["accept", "content-type", "content-length", "idempotency-key", "if-match", "range"] {
            assert!(passes(name), "{name}");
        }
    }

    #[test]
    fn names_are_written_as_the_platform_writes_them() {
        assert!(hidden().chain(HIDDEN_BEGINNINGS.iter().copied()).all(|name| name == name.to_ascii_lowercase()));
    }
}
