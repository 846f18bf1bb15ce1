//! Answers: the one place where statuses, headers and public texts are chosen.

use crate::edge::Edge;
use ownchat_domain::{
    failure::FieldError,
    json::BodyError,
    problem::{self, Kind, Problem},
    verdict::Denial,
};
use serde::Serialize;
use worker::{Headers, Response, ResponseBuilder, Result};

/// Seconds after which a call that could not be checked may be tried again.
const RETRY_AFTER: &str = "1";

/// What every answer of one call needs.
#[derive(Debug)]
pub struct Answers<'a> {
    /// The edge.
    pub edge: &'a Edge,
    /// Id of the call.
    pub request_id: &'a str,
}

impl Answers<'_> {
    /// 200 with a JSON body.
    pub fn ok(&self, body: &impl Serialize) -> Result<Response> {
        let mut response = Response::from_json(body)?;
        self.dress(response.headers_mut())?;
        Ok(response)
    }

    /// What `OPTIONS` gets, for browsers that ask before they call (Fetch standard, CORS preflight).
    pub fn preflight(&self) -> Result<Response> {
        let mut response = ResponseBuilder::new().with_status(204).empty();
        let headers = response.headers_mut();
        self.dress(headers)?;
        headers.set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")?;
        headers.set("Access-Control-Allow-Headers", "Authorization, X-API-Key, Content-Type, Idempotency-Key")?;
        headers.set("Access-Control-Max-Age", "86400")?;
        Ok(response)
    }

    /// A problem of a kind.
    pub fn problem(&self, kind: &Kind, detail: &str) -> Result<Response> {
        self.write(&kind.problem(&self.edge.console, detail, self.request_id))
    }

    /// The refusal of a call that carried a key in a header.
    pub fn denied(&self, denial: &Denial) -> Result<Response> {
        let kind = Kind::of(denial.code());
        let mut body = kind.problem(&self.edge.console, denial.detail(), self.request_id);
        if let Denial::ScopeMissing { required, granted } = denial {
            body.required = required.names();
            body.granted = Some(granted.names());
            body.missing = granted.missing(*required).names();
        }
        let mut response = self.write(&body)?;
        let headers = response.headers_mut();
        if let Some(challenge) = challenge(denial) {
            headers.set("WWW-Authenticate", &challenge)?;
        }
        if kind.status == problem::UNAVAILABLE.status {
            headers.set("Retry-After", RETRY_AFTER)?;
        }
        Ok(response)
    }

    /// The refusal of a call with more than one key (RFC 6750, section 3.1).
    pub fn ambiguous(&self) -> Result<Response> {
        let kind = &problem::AMBIGUOUS_KEY;
        let mut response = self.problem(kind, kind.meaning)?;
        response.headers_mut().set("WWW-Authenticate", "Bearer realm=\"Ownchat\", error=\"invalid_request\"")?;
        Ok(response)
    }

    /// 405, with the methods that are possible.
    pub fn method_not_allowed(&self, allowed: &[&str]) -> Result<Response> {
        let allowed = allowed.join(", ");
        let mut response = self.problem(&problem::METHOD_NOT_ALLOWED, &format!("This address takes {allowed}."))?;
        response.headers_mut().set("Allow", &allowed)?;
        Ok(response)
    }

    /// What is wrong with a body.
    pub fn bad_body(&self, error: BodyError) -> Result<Response> {
        match error {
            BodyError::Unreadable(detail) => self.problem(&problem::INVALID_JSON, &detail),
            BodyError::Field(error) => self.bad_field(error),
        }
    }

    /// One field that cannot be accepted.
    pub fn bad_field(&self, error: FieldError) -> Result<Response> {
        let kind = &problem::VALIDATION_FAILED;
        let mut body = kind.problem(&self.edge.console, format!("{}: {}", error.field, error.message), self.request_id);
        body.errors.push(error);
        self.write(&body)
    }

    /// Sets what every answer carries, also one that came from a service.
    pub fn dress(&self, headers: &Headers) -> Result<()> {
        headers.set("Request-Id", self.request_id)?;
        headers.set("Cache-Control", "no-store")?;
        headers.set("X-Content-Type-Options", "nosniff")?;
        headers.set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")?;
        headers.set("Access-Control-Allow-Origin", "*")?;
        headers.set("Access-Control-Expose-Headers", "Request-Id, Retry-After, WWW-Authenticate, ETag, Location")
    }

    fn write(&self, body: &Problem) -> Result<Response> {
        let mut response = Response::from_json(body)?.with_status(body.status);
        self.dress(response.headers_mut())?;
        response.headers_mut().set("Content-Type", problem::MEDIA_TYPE)?;
        Ok(response)
    }
}

/// The challenge of RFC 6750, section 3. It has no error code when no credential came.
fn challenge(denial: &Denial) -> Option<String> {
    let realm = "Bearer realm=\"Ownchat\"";
    match denial {
        Denial::Missing => Some(realm.to_owned()),
        Denial::ScopeMissing { required, .. } => {
            Some(format!("{realm}, error=\"insufficient_scope\", scope=\"{}\"", required.names().join(" ")))
        }
        Denial::Unavailable => None,
        _ => Some(format!("{realm}, error=\"invalid_token\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ownchat_domain::scope::ScopeSet;

    #[test]
    fn challenges_follow_rfc_6750() {
        let required = ScopeSet::from_names(["messages:send", "contacts:read"]).unwrap();
        for (denial, expected) in [
            (Denial::Missing, Some("Bearer realm=\"Ownchat\"")),
            (Denial::Expired, Some("Bearer realm=\"Ownchat\", error=\"invalid_token\"")),
            (
                Denial::ScopeMissing { required, granted: ScopeSet::EMPTY },
                Some("Bearer realm=\"Ownchat\", error=\"insufficient_scope\", scope=\"contacts:read messages:send\""),
            ),
            (Denial::Unavailable, None),
        ] {
            assert_eq!(challenge(&denial).as_deref(), expected);
        }
    }
}
