//! The catalogue of error codes: one table for error responses and for the error reference page.

use super::Problem;
use crate::verdict::Code;

/// An entry of the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Stable error code, for programs.
    pub code: &'static str,
    /// HTTP status (RFC 9110).
    pub status: u16,
    /// Short title of the code.
    pub title: &'static str,
    /// Meaning and remedy, in full sentences for people.
    pub meaning: &'static str,
}

impl Kind {
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
        $(#[doc = $title] pub const $name: Kind = Kind { code: $code, status: $status, title: $title, meaning: $meaning };)*

        /// All kinds, in the order of the error reference page.
        pub static CATALOGUE: &[Kind] = &[$($name),*];
    };
}

kinds! {
    MISSING_KEY = "MISSING_KEY", 401, "No API key was sent",
        "The call carried no API key. Send it as Authorization: Bearer KEY or as X-API-Key: KEY; a key in the address is never read.";
    MALFORMED_KEY = "MALFORMED_KEY", 401, "This is not an Ownchat API key",
        "The text is cut, mistyped, or was never issued here. Copy the key again, whole and without spaces.";
    UNKNOWN_KEY = "UNKNOWN_KEY", 401, "There is no such API key",
        "The key was deleted or never existed. Create a new one in Settings, API Keys.";
    INACTIVE = "INACTIVE", 401, "The API key is deactivated",
        "An admin has switched the key off. It works again as soon as an admin activates it.";
    NOT_YET_VALID = "NOT_YET_VALID", 401, "The API key does not work yet",
        "The key was made for a later time; the detail says from when on it works. An admin can change that.";
    EXPIRED = "EXPIRED", 401, "The API key has expired",
        "The time that was set when the key was made is over. An admin can change its expiry or create a new key.";
    SCOPE_MISSING = "SCOPE_MISSING", 403, "The API key lacks a scope",
        "The call needs an access scope that the key was not given. The answer names it under missing; an admin can grant it.";
    ADDRESS_FORBIDDEN = "ADDRESS_FORBIDDEN", 403, "The API key may not be used from here",
        "The key may only be used from certain networks, and the call came from another. An admin can change them.";
    CHANNEL_FORBIDDEN = "CHANNEL_FORBIDDEN", 403, "The API key may not be used for this channel",
        "The key is restricted to certain channels, and the call is about another. An admin can change them.";
    RATE_LIMITED = "RATE_LIMITED", 429, "The API key was used too often",
        "The key has a rate limit, and it was reached. Wait for the seconds in Retry-After; RateLimit-Policy says what is allowed.";
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED", 429, "The quota of the API key is used up",
        "The key may be used so often in a day or a month, and was. It works again after the seconds in Retry-After, or when an admin raises the quota.";
    WORKSPACE_SUSPENDED = "WORKSPACE_SUSPENDED", 403, "The workspace is suspended",
        "All keys of the workspace are refused until its owner lifts the suspension.";
    UNAVAILABLE = "UNAVAILABLE", 503, "A store did not answer",
        "Nothing is wrong with the request. A key could not be checked, or it is not known whether a change was made. Try again after the seconds in Retry-After; with the same Idempotency-Key a change is made once.";
    AMBIGUOUS_KEY = "ambiguous_key", 400, "More than one API key was sent",
        "A call carries one key, in one header, and never in the URL. Remove Authorization or X-API-Key, the one with the wrong key.";
    MISSING_CREDENTIAL = "MISSING_CREDENTIAL", 401, "The caller does not say who it is",
        "Only a known caller may ask about an API key. Send Authorization: Bearer with an API key of the same workspace that has the scope keys:verify, or with a service token.";
    INVALID_CREDENTIAL = "INVALID_CREDENTIAL", 401, "The caller is not known",
        "The credential in Authorization is neither an API key nor a service token of this deployment. Send an API key of the same workspace that has the scope keys:verify, or a token whose hash stands in SERVICE_TOKENS.";
    NOT_FOUND = "not_found", 404, "There is no such thing",
        "Nothing lives under this address, or it belongs to somebody else.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "This method is not possible here",
        "The address exists and does not take this method. Allow lists those that it takes.";
    UPSTREAM_UNAVAILABLE = "upstream_unavailable", 502, "The service behind the edge cannot be reached",
        "The key is good, but the connection to the service failed; it is not known whether a request with a body was carried out. Nothing was charged to the key's quota. Try again after the seconds in Retry-After.";
    UPSTREAM_CONNECT_TIMEOUT = "upstream_connect_timeout", 504, "The service behind the edge does not accept connections",
        "The key is good, but no connection to the service opened in time. Nothing was charged to the key's quota. Try again after the seconds in Retry-After.";
    UPSTREAM_TIMEOUT = "upstream_timeout", 504, "The service behind the edge did not answer in time",
        "The request reached the service, and no response came in time. The service may have carried it out: repeat it with an Idempotency-Key, or read first.";
    UPSTREAM_IDLE_TIMEOUT = "upstream_idle_timeout", 504, "The service behind the edge stopped in the middle",
        "The service stopped reading the request. It may have carried out a part of it: read first, then try again after the seconds in Retry-After.";
    UPSTREAM_INVALID = "upstream_invalid", 502, "The service behind the edge sent an invalid response",
        "The service answered with something that is no HTTP response for a caller. The error was noted under the request's id.";
    UPSTREAM_REDIRECT = "upstream_redirect", 502, "The service behind the edge redirected to another host",
        "Clients that follow redirects would send the key to that host, so the edge does not pass the redirect on. The error was noted under the request's id.";
    REQUEST_TIMEOUT = "request_timeout", 408, "The body of the request did not arrive in time",
        "The body began and then stopped for too long. Send the request again.";
    UPGRADE_UNSUPPORTED = "upgrade_unsupported", 501, "The connection cannot change its protocol",
        "The Ownchat API is plain HTTP. WebSocket and other upgrades are not supported: send the request without Upgrade.";
    INVALID_REQUEST = "invalid_request", 400, "This is not a request as HTTP/1.1 has it",
        "The request line or a header cannot be read: a control character, more than one Host, or an unknown method. Send the request again as RFC 9112 describes.";
    HEADERS_TOO_LARGE = "headers_too_large", 431, "The headers are too large",
        "The headers of a request may have 16 KiB together.";
    INVALID_JSON = "invalid_json", 400, "The body is not a JSON object",
        "The body could not be read as a JSON object. The detail says where.";
    VALIDATION_FAILED = "validation_failed", 422, "Some values cannot be accepted",
        "The body was read and holds fields or values that cannot be accepted. Each stands under errors with its field; nothing was changed.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The body must be JSON",
        "Send the body as Content-Type: application/json; what a PATCH changes may come as application/merge-patch+json, too.";
    BODY_TOO_LARGE = "body_too_large", 413, "The body is too large",
        "Bodies of up to 64 KiB are read here.";
    NOT_SIGNED_IN = "not_signed_in", 401, "Nobody is signed in",
        "The session is missing or has ended. Sign in again.";
    WRONG_CREDENTIALS = "wrong_credentials", 401, "That email and password don't match",
        "There is no account with this email address and password.";
    TOO_MANY_ATTEMPTS = "too_many_attempts", 429, "Too many attempts",
        "There were too many failed attempts. Wait for the seconds in Retry-After.";
    BUSY = "busy", 503, "Too many sign-ins at once",
        "Passwords are checked one after the other, and too many wait already. The attempt does not count as failed. Try again after the seconds in Retry-After.";
    FORBIDDEN = "forbidden", 403, "Not allowed",
        "The caller is known and may not do this.";
    SCOPE_NOT_HELD = "scope_not_held", 403, "Nobody gives more than they hold",
        "The key would be given access scopes that the caller does not hold. They stand under missing; an owner holds all of them. Or a key that makes another one would give it more freedom than it has itself, in what stands under errors. Nothing was changed.";
    CROSS_SITE = "cross_site", 403, "The request came from another site",
        "Changes are taken only from the console's own pages, or from programs that send the console's own Origin.";
    PRECONDITION_REQUIRED = "precondition_required", 428, "The version is missing",
        "Read the key or the workspace first and send its ETag as If-Match: that one and not *, so that nobody's change is overwritten.";
    INVALID_IDEMPOTENCY_KEY = "invalid_idempotency_key", 400, "This is not an Idempotency-Key",
        "Send Idempotency-Key once, with 1 to 255 visible ASCII characters, as they are or in double quotes. Nothing was changed.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 422, "The Idempotency-Key belongs to another request",
        "A request with this Idempotency-Key and another body was carried out before. Give every request a name of its own. Nothing was changed now.";
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use", 409, "The same request is still being worked on",
        "A request with this Idempotency-Key came before and is not answered yet. Send it again after the seconds in Retry-After.";
    NOT_EFFECTIVE_YET = "not_effective_yet", 503, "Made, and not effective everywhere yet",
        "The change is stored and will not be lost, but the edge could not be told yet. It is told as soon as it can be; read the key to see the change.";
    STALE = "stale", 412, "The key was changed meanwhile",
        "Somebody changed the key since it was read. Read it again and repeat the change.";
    INTERNAL = "internal", 500, "Something went wrong on our side",
        "The error was noted under the request's id. Nothing is wrong with the call; try again later.";
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
            assert_eq!((code.as_str(), Kind::of(code).code, Kind::of(code).status), (name, name, status));
        }
    }

    #[test]
    fn a_problem_repeats_its_kind_and_names_its_page() {
        let problem = STALE.problem("https://keys.example", "Read it again.", "r1");
        assert_eq!((problem.status, problem.title.as_str(), problem.code.as_str()), (412, STALE.title, "stale"));
        assert_eq!(problem.kind, "https://keys.example/docs/errors#stale");
    }
}
