//! HTTP status of each failure, for pages and server functions.

use http::StatusCode;
use ownchat_domain::failure::Failure;

/// Returns the HTTP status of a failure (RFC 9110, section 15).
pub const fn of(failure: &Failure) -> StatusCode {
    match failure {
        Failure::NotFound => StatusCode::NOT_FOUND,
        // Pages read no API keys, so sign-in is the only challenge that they could send.
        Failure::Forbidden
        | Failure::NotSignedIn
        | Failure::WrongCredentials
        | Failure::KeyRefused { .. }
        | Failure::ScopeMissing { .. }
        | Failure::NotHeld { .. }
        | Failure::Beyond { .. } => StatusCode::FORBIDDEN,
        Failure::Stale | Failure::Running => StatusCode::CONFLICT,
        Failure::Invalid { .. } | Failure::Reused => StatusCode::UNPROCESSABLE_ENTITY,
        Failure::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Failure::Busy { .. } | Failure::NotEffectiveYet | Failure::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}
