//! Plan of a request: for each route the check that its key needs and the response to the decision.
//!
//! The lists of routes stand in the domain: the edge's own in `route/edge_endpoints.rs`, those of
//! the gateway with their scopes in `scope/scopes_and_routes.rs`.

use crate::{
    authorizer::Authorizer,
    describe::describe,
    key_check::{Decision, KeyCheck, Purpose},
    request::{Body, Request},
    response::{Responder, Response, limit_headers},
    service_tokens::ServiceTokens,
    verify_request,
};
use ownchat_domain::{
    credential::Credential,
    failure::FieldError,
    problem,
    record::Record,
    route::{EdgeEndpoint, RequestTarget, RouteMatch},
    scope::ScopeSet,
    time::Timestamp,
    token::KEYS_BEGIN,
    verdict::{Code, Denial},
};
use serde::Serialize;
use std::{borrow::Cow, net::IpAddr};

/// The plan for a request.
#[derive(Debug)]
pub enum Plan<'a> {
    /// Respond, whichever key the request carries.
    Respond(Response),
    /// Check a key first.
    Check(KeyCheck<'a>),
}

/// Body of `GET /v1/health`.
#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    /// Age in milliseconds of the least recently read feed; none before the first read.
    feed_age_ms: Option<i64>,
}

/// Plans a request by its method and path.
pub fn plan<'a>(
    responder: &Responder<'_>,
    authorizer: &Authorizer,
    services: &ServiceTokens,
    request: &Request<'a>,
    now: Timestamp,
) -> Plan<'a> {
    let path = request.path();
    match RequestTarget::of(request.method, path) {
        RequestTarget::Preflight => Plan::Respond(responder.preflight()),
        RequestTarget::Endpoint(EdgeEndpoint::Verify) => verify_caller(responder, services, request),
        // Reading one's own key costs nothing.
        RequestTarget::Endpoint(EdgeEndpoint::Key) => {
            check_header_key(responder, request, Purpose::OwnKey, ScopeSet::EMPTY, None, 0)
        }
        RequestTarget::Endpoint(EdgeEndpoint::Health) => {
            let (status, version) = ("ok", env!("CARGO_PKG_VERSION"));
            let health = Health { status, version, feed_age_ms: authorizer.feed_age(now) };
            Plan::Respond(responder.ok(serde_json::to_string(&health).unwrap_or_default()))
        }
        RequestTarget::Gateway(RouteMatch::Route(route)) => check_header_key(
            responder,
            request,
            Purpose::Gateway,
            ScopeSet::from_iter([route.scope]),
            route.channel_of(path),
            1,
        ),
        RequestTarget::Method(allowed) => Plan::Respond(responder.method_not_allowed(allowed)),
        RequestTarget::Gateway(RouteMatch::Method(allowed)) => Plan::Respond(responder.method_not_allowed(&allowed)),
        RequestTarget::Gateway(RouteMatch::None(why)) => {
            Plan::Respond(responder.problem(&problem::NOT_FOUND, &why.to_string()))
        }
    }
}

/// Authenticates the caller of verify: an Ownchat service, or the holder of a key that may verify.
fn verify_caller<'a>(responder: &Responder<'_>, services: &ServiceTokens, request: &Request<'a>) -> Plan<'a> {
    let unknown =
        |kind: &problem::ProblemKind, detail, code| Plan::Respond(responder.unauthenticated(kind, detail, code));
    let missing = &problem::MISSING_CREDENTIAL;
    match request.credential() {
        _ if request.has_key_in_url() => {}
        Credential::Refused(denial @ Denial::NoSpace) => return unknown(missing, &denial.detail(), Code::MissingKey),
        Credential::None | Credential::Refused(_) => return unknown(missing, missing.meaning, Code::MissingKey),
        Credential::One(token) if services.contain(token) => return verify(responder, request, None),
        Credential::One(text) if !KEYS_BEGIN.iter().any(|brand| text.contains(brand)) => {
            let kind = &problem::INVALID_CREDENTIAL;
            return unknown(kind, kind.meaning, Code::MalformedKey);
        }
        _ => {}
    }
    check_header_key(responder, request, Purpose::VerifyCaller, EdgeEndpoint::Verify.required(), None, 1)
}

/// The required headers of a verify request.
const MEDIA: &str = "Send the body as Content-Type: application/json, without Content-Encoding.";

/// Why a body counts as unreadable. Its bytes are decoded leniently, since that is faster, so the
/// mark of a wrong byte and the character itself look alike.
const NOT_UTF_8: &str = "The body is not UTF-8, or it contains the replacement character U+FFFD.";

/// Plans the verification of a key. The caller may verify the keys of this workspace; of all if
/// none is given.
pub fn verify<'a>(responder: &Responder<'_>, request: &Request<'a>, workspace: Option<u32>) -> Plan<'a> {
    let refuse = |kind: &problem::ProblemKind, detail| Plan::Respond(responder.problem(kind, detail));
    let body = match request.body {
        Body::Text(body) => body,
        Body::MediaType => return refuse(&problem::UNSUPPORTED_MEDIA_TYPE, MEDIA),
        Body::Encoding => return refuse(&problem::INVALID_JSON, NOT_UTF_8),
        Body::TooLarge => return refuse(&problem::BODY_TOO_LARGE, problem::BODY_TOO_LARGE.meaning),
    };
    let body = match verify_request::parse(body) {
        Ok(body) => body,
        Err(error) => return Plan::Respond(responder.invalid_body(error)),
    };
    let required = match ScopeSet::from_names(body.scopes.iter().map(AsRef::as_ref)) {
        Ok(required) => required,
        Err(error) => return Plan::Respond(responder.invalid_field(FieldError::new("scopes", error.to_string()))),
    };
    let Ok(source_ip) = body.address.map(|text| text.parse::<IpAddr>()).transpose() else {
        return Plan::Respond(
            responder.invalid_field(FieldError::new("address", "This is not an IPv4 or IPv6 address.")),
        );
    };
    let key = match body.key {
        Cow::Borrowed(key) => Cow::Borrowed(key.trim()),
        Cow::Owned(key) => Cow::Owned(key.trim().to_owned()),
    };
    Plan::Check(KeyCheck {
        key,
        purpose: Purpose::Verify,
        required,
        channel: body.channel,
        source_ip,
        client_ip: request.client_ip,
        cost: body.cost.unwrap_or(1),
        workspace,
    })
}

/// Plans the check of the key in a header.
fn check_header_key<'a>(
    responder: &Responder<'_>,
    request: &Request<'a>,
    purpose: Purpose,
    required: ScopeSet,
    channel: Option<Cow<'a, str>>,
    cost: u32,
) -> Plan<'a> {
    match (request.credential(), request.has_key_in_url()) {
        (Credential::None | Credential::Refused(_), true) => Plan::Respond(responder.denied(&Denial::InUrl)),
        (Credential::None, false) => Plan::Respond(responder.denied(&Denial::Missing)),
        (Credential::Refused(denial), false) => Plan::Respond(responder.denied(&denial)),
        // Forwarded, the key would end up in the logs of the service.
        (_, true) => Plan::Respond(responder.ambiguous(&Denial::InUrl.detail())),
        (Credential::Ambiguous, false) => Plan::Respond(responder.ambiguous(problem::AMBIGUOUS_KEY.meaning)),
        (Credential::One(key), false) => {
            let (source_ip, client_ip) = (request.client_ip, request.client_ip);
            Plan::Check(KeyCheck {
                key: key.into(),
                purpose,
                required,
                channel,
                source_ip,
                client_ip,
                cost,
                workspace: None,
            })
        }
    }
}

/// Makes the response to a decision. A request that goes on to a service gets the target that
/// `forward` returns.
pub fn respond(
    responder: &Responder<'_>,
    purpose: Purpose,
    decision: &Decision,
    forward: impl FnOnce(&Record) -> String,
) -> Response {
    let response = match (purpose, &decision.verdict, &decision.record) {
        (Purpose::Verify, ..) | (Purpose::OwnKey, Ok(()), _) => responder.ok(describe(decision)),
        (Purpose::Gateway, Ok(()), Some(record)) => responder.forward(forward(record)),
        // Nobody passes without a record.
        (_, Ok(()), _) => responder.denied(&Denial::Unknown),
        (_, Err(denial), _) => responder.denied(denial),
    };
    if shows_limits(purpose, &decision.verdict) { response.with_headers(limit_headers(decision)) } else { response }
}

/// Returns true if the response reports the standing of the key's limits. A caller of verify learns
/// nothing of a key that is refused for another reason.
fn shows_limits(purpose: Purpose, verdict: &Result<(), Denial>) -> bool {
    let Err(denial) = verdict else { return true };
    purpose != Purpose::Verify || matches!(denial.code(), Code::RateLimited | Code::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        response::BodyKind,
        testing::{NOW, authorizer, record, token},
    };
    use ownchat_domain::{
        digest::SecretHash,
        explain::{self, Case, explain},
        scope::Scope,
    };

    const RESPONDER: Responder<'static> = Responder { console: "https://console", request_id: "0" };

    fn plan_as<'a>(authorization: Option<&'a str>, method: &'a str, target: &'a str, body: &'a str) -> Plan<'a> {
        let body = if body == "too large" { Body::TooLarge } else { Body::Text(body) };
        let request = Request { method, target, authorization, body, ..Request::default() };
        // SHA-256 of "abc".
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let services = ServiceTokens::parse(&format!("inbox:{hash}")).unwrap();
        plan(&RESPONDER, &authorizer(), &services, &request, NOW)
    }

    fn plan_for<'a>(method: &'a str, target: &'a str, body: &'a str) -> Plan<'a> {
        plan_as(Some("Bearer oc_live_k"), method, target, body)
    }

    fn status(plan: Plan<'_>) -> u16 {
        match plan {
            Plan::Respond(response) => response.status,
            Plan::Check(_) => 0,
        }
    }

    #[test]
    fn each_path_has_its_methods() {
        for (method, path, expected) in [
            ("OPTIONS", "/v1/verify", 204),
            ("GET", "/v1/verify", 405),
            ("HEAD", "/v1/health", 200),
            ("POST", "/v1/health", 405),
            ("GET", "/v1/key", 0),
            ("GET", "/v1/key?x=/v1/nothing", 0),
            ("DELETE", "/v1/key", 405),
            ("GET", "/v1/contacts", 0),
            ("PUT", "/v1/contacts", 405),
            ("GET", "/v1/nothing", 404),
            ("get", "/v1/key", 405),
        ] {
            assert_eq!(status(plan_for(method, path, "")), expected, "{method} {path}");
        }
    }

    #[test]
    fn explanation_of_a_route_matches_its_behaviour() {
        let (authorizer, record) = (authorizer(), Record { scopes: Scope::all().collect(), ..record() });
        let presented = SecretHash::of(&token(&authorizer).secret);
        let endpoints = EdgeEndpoint::ALL.map(EdgeEndpoint::path);
        for path in endpoints.into_iter().chain(["/v1/contacts", "/v1/channels/ch_1", "/v1/nothing", "/v1/key/"]) {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"] {
                let wanted = explain::Target::Route { method: method.into(), path: path.into() };
                let case = Case { wanted, address: None, environment: None, at: None, cost: None };
                let explained = explain(&record, Some(&presented), None, &case, authorizer.keyring(), NOW);
                let done = match plan_for(method, path, r#"{"key":"k"}"#) {
                    Plan::Respond(response) => response.status,
                    Plan::Check(check) => {
                        assert_eq!(check.cost, case.cost(), "{method} {path}");
                        200
                    }
                };
                assert_eq!(explained.status, done, "{method} {path}: {}", explained.detail);
            }
        }
    }

    #[test]
    fn verify_reads_its_check_from_the_body() {
        let body = r#"{"key":"k2","scopes":["contacts:read"],"channel":"ch_1","address":"192.0.2.1","cost":3}"#;
        let plan_for = |body| plan_as(Some("Bearer abc"), "POST", "/v1/verify", body);
        let Plan::Check(check) = plan_for(body) else { unreachable!() };
        let requirements = check.requirements();
        assert_eq!((check.key.as_ref(), check.purpose, requirements.cost), ("k2", Purpose::Verify, 3));
        assert_eq!(requirements.request.channel, Some("ch_1"));
        assert_eq!(requirements.request.address, Some("192.0.2.1".parse().unwrap()));
        assert_eq!(requirements.request.required.names(), ["contacts:read"]);
        for (body, expected) in [
            ("too large", 413),
            ("{", 400),
            (r#"{"key":"k","x":1}"#, 422),
            (r#"{"key":"k","scopes":["nothing:at_all"]}"#, 422),
            (r#"{"key":"k","address":"here"}"#, 422),
        ] {
            assert_eq!(status(plan_for(body)), expected, "{body}");
        }
    }

    #[test]
    fn caller_of_verify_must_authenticate() {
        let verify_as = |authorization: Option<&'static str>| {
            plan_as(authorization, "POST", "/v1/verify", r#"{"key":"oc_live_other"}"#)
        };
        let Plan::Check(check) = verify_as(Some("Bearer oc_live_own")) else { unreachable!() };
        assert_eq!(
            (check.key.as_ref(), check.purpose, check.requirements().cost),
            ("oc_live_own", Purpose::VerifyCaller, 1)
        );
        assert_eq!(check.requirements().request.required, ScopeSet::VERIFY);
        let Plan::Check(check) = verify_as(Some("bearer abc")) else { unreachable!() };
        assert_eq!((check.key.as_ref(), check.purpose, check.workspace), ("oc_live_other", Purpose::Verify, None));
        for (authorization, code, challenge) in [
            (None, "MISSING_CREDENTIAL", "Bearer realm=\"Ownchat\""),
            (Some("Basic abc"), "MISSING_CREDENTIAL", "Bearer realm=\"Ownchat\""),
            (Some("Bearer abd"), "INVALID_CREDENTIAL", "Bearer realm=\"Ownchat\", error=\"invalid_token\""),
        ] {
            let Plan::Respond(response) = verify_as(authorization) else { unreachable!() };
            assert_eq!((response.status, &response.headers), (401, &vec![("WWW-Authenticate", challenge.to_owned())]));
            assert!(response.body.contains(code), "{}", response.body);
        }
    }

    #[test]
    fn unreadable_header_and_key_in_the_url_are_named() {
        for (authorization, target, status, text) in [
            ("Bearer\toc_live_k", "/v1/key", 401, "No space follows the word Bearer"),
            ("Beareroc_live_k", "/v1/verify", 401, "No space follows the word Bearer"),
            ("Bearer oc_live_k", "/v1/key?k=oc_live_k", 400, "Rotate it"),
            ("Bearer oc_live_k", "/v1/verify?k=oc_live_k", 400, "Rotate it"),
            ("Bearer oc_live_k, Bearer k", "/v1/contacts/oc_live_k", 400, "Rotate it"),
            ("Beareroc_live_k", "/v1/key?k=oc_live_k", 401, "Rotate it"),
            ("Bearer oc_live_k, Bearer k", "/v1/key", 400, "Remove Authorization or X-API-Key"),
        ] {
            let method = if target.starts_with("/v1/verify") { "POST" } else { "GET" };
            let plan = plan_as(Some(authorization), method, target, r#"{"key":"k"}"#);
            let Plan::Respond(response) = plan else { unreachable!() };
            assert_eq!(response.status, status, "{authorization} {target}");
            assert!(response.body.contains(text) && !response.body.contains("live_k"), "{}", response.body);
        }
    }

    #[test]
    fn foreign_key_is_unknown_to_a_caller_with_a_key() {
        let authorizer = authorizer();
        let body = format!(r#"{{"key":"{}"}}"#, *token(&authorizer).reveal());
        let request = Request { body: Body::Text(&body), ..Request::default() };
        for (workspace, unknown) in [(None, false), (Some(7), false), (Some(8), true)] {
            let Plan::Check(check) = verify(&RESPONDER, &request, workspace) else { unreachable!() };
            assert_eq!(authorizer.key_of(&check).err(), unknown.then_some(Denial::Unknown), "{workspace:?}");
        }
    }

    #[test]
    fn purpose_selects_the_response() {
        let good = Decision { record: Some(record().into()), secret: Some(1), ..Decision::refused(Denial::Unknown) };
        let good = Decision { verdict: Ok(()), ..good };
        let bad = Decision::refused(Denial::Unknown);
        let status_of = |purpose, decision: &Decision| {
            let response = respond(&RESPONDER, purpose, decision, |record| record.name.clone());
            if response.kind == BodyKind::Forward { 0 } else { response.status }
        };
        let all = [Purpose::Verify, Purpose::OwnKey, Purpose::Gateway, Purpose::VerifyCaller];
        assert_eq!(all.map(|purpose| status_of(purpose, &good)), [200, 200, 0, 401]);
        assert_eq!(all.map(|purpose| status_of(purpose, &bad)), [200, 401, 401, 401]);
    }
}
