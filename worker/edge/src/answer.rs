//! Answers: the one place where statuses, headers and public texts are chosen.

use crate::{describe::seconds, edge::Edge, gate::Checked};
use ownchat_domain::{
    failure::FieldError,
    json::BodyError,
    problem::{self, Kind, Problem},
    verdict::Denial,
};
use serde::Serialize;
use worker::{Headers, Response, ResponseBuilder, Result};

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
        body.violated = match denial {
            Denial::RateLimited { .. } => vec!["rate_limit".to_owned()],
            Denial::QuotaExceeded { .. } => vec!["quota".to_owned()],
            _ => Vec::new(),
        };
        let mut response = self.write(&body)?;
        let headers = response.headers_mut();
        if let Some(challenge) = challenge(denial) {
            headers.set("WWW-Authenticate", &challenge)?;
        }
        if let Some(seconds) = denial.retry_after() {
            headers.set("Retry-After", &seconds.to_string())?;
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

    /// Tells a limited key what is allowed and what is left (IETF draft "`RateLimit` header fields for HTTP").
    pub fn limits(&self, mut response: Response, checked: &Checked) -> Result<Response> {
        let Some(record) = checked.record.as_deref() else { return Ok(response) };
        let (mut policies, mut states) = (Vec::new(), Vec::new());
        let mut tell = |name: &str, limit: u32, window: i64, standing: Option<(u32, i64)>| {
            policies.push(format!("\"{name}\";q={limit};w={window}"));
            states.extend(standing.map(|(left, wait)| format!("\"{name}\";r={left};t={}", seconds(wait))));
        };
        if let Some(rate) = record.limits.rate {
            tell("default", rate.limit, i64::from(rate.window_seconds), checked.standing.rate);
        }
        if let Some(quota) = record.limits.quota {
            tell("quota", quota.limit, quota.period.seconds(), checked.standing.quota);
        }
        for (name, items) in [("RateLimit-Policy", policies), ("RateLimit", states)] {
            if !items.is_empty() {
                response.headers_mut().set(name, &items.join(", "))?;
            }
        }
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
        headers.set(
            "Access-Control-Expose-Headers",
            "Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, ETag, Location",
        )
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
        Denial::Unavailable | Denial::RateLimited { .. } | Denial::QuotaExceeded { .. } => None,
        // The key is good; no scope would help.
        Denial::AddressForbidden { .. } | Denial::ChannelForbidden | Denial::Suspended => {
            Some(format!("{realm}, error=\"insufficient_scope\""))
        }
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
            (Denial::ChannelForbidden, Some("Bearer realm=\"Ownchat\", error=\"insufficient_scope\"")),
            (Denial::RateLimited { retry_after: 1 }, None),
            (Denial::Unavailable, None),
        ] {
            assert_eq!(challenge(&denial).as_deref(), expected);
        }
    }
}
