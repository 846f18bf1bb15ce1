//! The catalogue of errors: code, status and title of each, for responses and the reference page.
//! The `detail` of a refused key is [`crate::verdict::Denial::detail`].

use super::Problem;
use crate::verdict::Code;

/// An entry of the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// Stable error code, for programs.
    pub code: &'static str,
    /// HTTP status (RFC 9110).
    pub status: u16,
    /// Short title of the code.
    pub title: &'static str,
    /// Meaning and remedy, in full sentences for people.
    pub meaning: &'static str,
}

impl ProblemKind {
    /// Creates a problem of this kind. `console` is the console's origin, or empty for a relative
    /// `type` URL.
    pub fn problem(&self, console: &str, detail: impl Into<String>, request_id: &str) -> Problem {
        Problem::new(console, self.code, self.status, self.title, detail.into(), request_id)
    }

    /// Returns the kind of a refusal by the edge. The match names each constant, so the edge links
    /// these and not the whole catalogue.
    pub const fn of(code: Code) -> &'static Self {
        match code {
            Code::MissingKey => &MISSING_KEY,
            Code::MalformedKey => &MALFORMED_KEY,
            Code::UnknownKey => &UNKNOWN_KEY,
            Code::Inactive => &INACTIVE,
            Code::NotYetValid => &NOT_YET_VALID,
            Code::Expired => &EXPIRED,
            Code::AddressForbidden => &ADDRESS_FORBIDDEN,
            Code::ScopeMissing => &SCOPE_MISSING,
            Code::ChannelForbidden => &CHANNEL_FORBIDDEN,
            Code::RateLimited => &RATE_LIMITED,
            Code::QuotaExceeded => &QUOTA_EXCEEDED,
            Code::WorkspaceSuspended => &WORKSPACE_SUSPENDED,
            Code::Unavailable => &UNAVAILABLE,
            Code::Valid | Code::NotForwarded => &INTERNAL,
        }
    }
}

macro_rules! kinds {
    ($($name:ident = $code:literal, $status:literal, $title:literal, $meaning:literal;)*) => {
        $(#[doc = $title] pub const $name: ProblemKind = ProblemKind { code: $code, status: $status, title: $title, meaning: $meaning };)*

        /// All kinds, in the order of the error reference page.
        pub static CATALOGUE: &[ProblemKind] = &[$($name),*];
    };
}

kinds! {
    MISSING_KEY = "MISSING_KEY", 401, "No API key was sent",
        "Send the API key as Authorization: Bearer KEY or as X-API-Key: KEY. A key in the URL is never read.";
    MALFORMED_KEY = "MALFORMED_KEY", 401, "This is not an Ownchat API key",
        "The key is incomplete, mistyped, or not one of ours. Copy it again, whole and without spaces.";
    UNKNOWN_KEY = "UNKNOWN_KEY", 401, "There is no such API key",
        "The key was deleted, its secret is wrong, or it never existed. Create a new key in Settings, API Keys.";
    INACTIVE = "INACTIVE", 401, "The API key is deactivated",
        "An admin deactivated the key. It works again as soon as an admin activates it.";
    NOT_YET_VALID = "NOT_YET_VALID", 401, "The API key does not work yet",
        "The key starts to work at the time in the detail. An admin can change its start.";
    EXPIRED = "EXPIRED", 401, "The API key has expired",
        "The key passed its expiry date, or a rotation ended this secret. Use the new secret, or ask an admin to change the expiry.";
    SCOPE_MISSING = "SCOPE_MISSING", 403, "The API key lacks a scope",
        "The request needs a scope that the key does not have. The response lists it under missing. An admin can grant it.";
    ADDRESS_FORBIDDEN = "ADDRESS_FORBIDDEN", 403, "The API key may not be used from here",
        "The key is restricted to certain networks, and the request came from another. An admin can change the networks.";
    CHANNEL_FORBIDDEN = "CHANNEL_FORBIDDEN", 403, "The API key may not be used for this channel",
        "The key is restricted to certain channels, and the request is about another. An admin can change the channels.";
    RATE_LIMITED = "RATE_LIMITED", 429, "The API key reached its rate limit",
        "Wait for the seconds in Retry-After. RateLimit-Policy shows the limit.";
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED", 429, "The API key used its quota",
        "This key has used its daily or monthly quota. It works again after the seconds in Retry-After, or when an admin raises the quota.";
    WORKSPACE_SUSPENDED = "WORKSPACE_SUSPENDED", 403, "The workspace is suspended",
        "All keys of the workspace are refused until its owner lifts the suspension.";
    UNAVAILABLE = "UNAVAILABLE", 503, "A store is not available",
        "Nothing is wrong with the request. A key could not be checked, or the outcome of a change is unknown. Try again after the seconds in Retry-After. With the same Idempotency-Key, a change is made once.";
    AMBIGUOUS_KEY = "ambiguous_key", 400, "More than one API key was sent",
        "A request carries one key, in one header, and never in the URL. Remove Authorization or X-API-Key, whichever has the wrong key.";
    MISSING_CREDENTIAL = "MISSING_CREDENTIAL", 401, "No credential was sent",
        "Only known callers may ask about an API key. Send Authorization: Bearer with an API key of the same workspace that has the scope keys:verify, or with a service token.";
    INVALID_CREDENTIAL = "INVALID_CREDENTIAL", 401, "The credential is not valid",
        "The credential in Authorization is neither an API key nor a service token of this deployment. Send an API key of the same workspace that has the scope keys:verify, or a token whose hash is in SERVICE_TOKENS.";
    NOT_FOUND = "not_found", 404, "Not found",
        "Nothing has this URL, or you may not see it.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "Method not allowed",
        "The URL exists and does not take this method. Allow lists the methods that it takes.";
    UPSTREAM_UNAVAILABLE = "upstream_unavailable", 502, "The service cannot be reached",
        "The key is good, but the connection to the service failed. A request with a body may have been carried out. The key's quota was not charged. Try again after the seconds in Retry-After.";
    UPSTREAM_CONNECT_TIMEOUT = "upstream_connect_timeout", 504, "The service does not accept connections",
        "The key is good, but no connection to the service opened in time. The key's quota was not charged. Try again after the seconds in Retry-After.";
    UPSTREAM_TIMEOUT = "upstream_timeout", 504, "The service did not respond in time",
        "The request reached the service, and no response came in time. The service may have carried it out. Retry with an Idempotency-Key, or read first.";
    UPSTREAM_IDLE_TIMEOUT = "upstream_idle_timeout", 504, "The service stopped reading the request",
        "The service may have carried out a part of the request. Read first, then try again after the seconds in Retry-After.";
    UPSTREAM_INVALID = "upstream_invalid", 502, "The service sent an invalid response",
        "The service sent something that is no HTTP response for a client. The error was logged under the request id.";
    UPSTREAM_REDIRECT = "upstream_redirect", 502, "The service redirected to another host",
        "Clients that follow redirects would send the key to that host, so the edge does not pass the redirect on. The error was logged under the request id.";
    REQUEST_TIMEOUT = "request_timeout", 408, "The request did not arrive in time",
        "The request began and then stopped for too long. Send it again.";
    UPGRADE_UNSUPPORTED = "upgrade_unsupported", 501, "Upgrades are not supported",
        "The Ownchat API is plain HTTP, without WebSocket. Send the request without Upgrade.";
    INVALID_REQUEST = "invalid_request", 400, "This is not a valid HTTP/1.1 request",
        "The request line or a header cannot be read: a control character, a character that no URL may hold, or more than one Host. RFC 9112 describes the format.";
    HEADERS_TOO_LARGE = "headers_too_large", 431, "The headers are too large",
        "All headers of a request may have 16 KiB together.";
    EXPECTATION_FAILED = "expectation_failed", 417, "The expectation cannot be met",
        "The header Expect asks for something other than 100-continue, the only expectation that is known here. Send the request without it.";
    INVALID_JSON = "invalid_json", 400, "The body is not a JSON object",
        "The body could not be parsed as a JSON object. The detail says where.";
    VALIDATION_FAILED = "validation_failed", 422, "Some values are not valid",
        "The request has fields or values that are not accepted. Each is listed under errors with its field. Nothing was changed.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The body must be JSON",
        "Send the body as Content-Type: application/json. A PATCH may also be application/merge-patch+json.";
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large",
        "A body may have up to 64 KiB here.";
    NOT_SIGNED_IN = "not_signed_in", 401, "You are not signed in",
        "Send an API key, or sign in: the session is missing or has ended.";
    WRONG_CREDENTIALS = "wrong_credentials", 401, "That email and password don't match",
        "No account has this email address and password.";
    TOO_MANY_ATTEMPTS = "too_many_attempts", 429, "Too many attempts",
        "There were too many failed attempts. Wait for the seconds in Retry-After.";
    BUSY = "busy", 503, "Too many sign-ins at once",
        "Too many passwords wait to be checked. The attempt does not count as failed. Try again after the seconds in Retry-After.";
    FORBIDDEN = "forbidden", 403, "Not allowed",
        "You may not do this.";
    SCOPE_NOT_HELD = "scope_not_held", 403, "You can't grant more than you have",
        "The key would get scopes that you do not have, listed under missing, or more freedom than the key that creates it, listed under errors. An owner has all scopes. Nothing was changed.";
    CROSS_SITE = "cross_site", 403, "The request came from another site",
        "Changes are accepted only from the console's own pages, or with the console's own Origin.";
    PRECONDITION_REQUIRED = "precondition_required", 428, "The version is missing",
        "Read the key or the workspace first, and send its ETag as If-Match. An If-Match of * is not accepted, so that nobody's change is overwritten.";
    INVALID_IDEMPOTENCY_KEY = "invalid_idempotency_key", 400, "This is not an Idempotency-Key",
        "Send Idempotency-Key once, with 1 to 255 visible ASCII characters, plain or in double quotes. Nothing was changed.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 422, "The Idempotency-Key belongs to another request",
        "Another request with this Idempotency-Key was carried out before. Use a new Idempotency-Key for each request. Nothing was changed now.";
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use", 409, "The same request is in progress",
        "An earlier request with this Idempotency-Key has no response yet. Send it again after the seconds in Retry-After.";
    NOT_EFFECTIVE_YET = "not_effective_yet", 503, "Saved, still taking effect",
        "The change is stored, but not live everywhere yet. It takes effect as soon as the edge can be reached. Read the key to see the change.";
    STALE = "stale", 412, "Changed in the meantime",
        "Somebody changed it since you read it. Read it again and repeat the change.";
    INTERNAL = "internal", 500, "Something went wrong on our side",
        "The error was logged under the request id. Nothing is wrong with the request. Try again later.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique() {
        let codes: HashSet<_> = CATALOGUE.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), CATALOGUE.len());
    }

    /// Pins codes and statuses that integrations rely on; they never change.
    #[test]
    fn every_refusal_has_its_status() {
        let pinned = [
            (Code::MissingKey, "MISSING_KEY", 401),
            (Code::MalformedKey, "MALFORMED_KEY", 401),
            (Code::UnknownKey, "UNKNOWN_KEY", 401),
            (Code::Inactive, "INACTIVE", 401),
            (Code::NotYetValid, "NOT_YET_VALID", 401),
            (Code::Expired, "EXPIRED", 401),
            (Code::AddressForbidden, "ADDRESS_FORBIDDEN", 403),
            (Code::ScopeMissing, "SCOPE_MISSING", 403),
            (Code::ChannelForbidden, "CHANNEL_FORBIDDEN", 403),
            (Code::RateLimited, "RATE_LIMITED", 429),
            (Code::QuotaExceeded, "QUOTA_EXCEEDED", 429),
            (Code::WorkspaceSuspended, "WORKSPACE_SUSPENDED", 403),
            (Code::Unavailable, "UNAVAILABLE", 503),
        ];
        assert_eq!(pinned.map(|(code, _, _)| code), Code::refusals().collect::<Vec<_>>().as_slice());
        for (code, name, status) in pinned {
            assert_eq!((code.as_str(), ProblemKind::of(code).code, ProblemKind::of(code).status), (name, name, status));
        }
    }

    #[test]
    fn a_problem_repeats_its_kind_and_names_its_page() {
        let problem = STALE.problem("https://keys.example", "Read it again.", "r1");
        assert_eq!((problem.status, problem.title.as_str(), problem.code.as_str()), (412, STALE.title, "stale"));
        assert_eq!(problem.kind, "https://keys.example/docs/errors#stale");
    }
}
