//! Gate of the services: refuses every request without a principal that the edge has signed
//! recently.

use crate::answer::{own_problem, problem, send};
use axum::{
    Extension,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};
use ownchat_domain::{
    principal::{self, Principal, PrincipalError},
    problem,
    route::{self, RouteMatch},
    scope::{Scope, ScopeSet},
    time::Timestamp,
};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Configuration of the gate.
#[derive(Debug)]
pub struct Gate {
    /// The key that the edge signs principals with.
    pub principal_key: Vec<u8>,
}

/// The verified principal of a request, for its handler.
pub type SignedPrincipal = Extension<Principal>;

/// Verifies the principal and the scope of a request, and passes the principal on to the handler.
pub async fn check(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key") {
        return own_problem(
            "CREDENTIAL_LEAKED",
            StatusCode::INTERNAL_SERVER_ERROR,
            "A credential came this far",
            "The edge must take the credential off a call before it passes it on.",
        );
    }
    let principal = match verify(&gate, &request) {
        Ok(principal) => principal,
        Err(refusal) => return refusal,
    };
    let needed = match route::find(request.method().as_str(), request.uri().path()) {
        RouteMatch::Route(route) => route.scope,
        RouteMatch::Method(_) => return problem(&problem::METHOD_NOT_ALLOWED, "This address takes other methods."),
        RouteMatch::None(why) => return problem(&problem::NOT_FOUND, &why.to_string()),
    };
    // The edge has checked the scope already. The check is cheap, so both sides do it.
    if let Some(refusal) = lacks(&principal, needed) {
        return refusal;
    }
    request.extensions_mut().insert(principal);
    next.run(request).await
}

/// Verifies the signed principal of a request.
fn verify(gate: &Gate, request: &Request) -> Result<Principal, Response> {
    let mut values = request.headers().get_all(principal::HEADER).iter();
    let value = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    let (method, path) = (request.method().as_str(), request.uri().path());
    let verified = value
        .ok_or(PrincipalError::Shape)
        .and_then(|value| Principal::verify(value, &gate.principal_key, method, path, now()));
    verified.map_err(|error| {
        let (code, title, detail) = match error {
            PrincipalError::Shape | PrincipalError::Signature => (
                "PRINCIPAL_REQUIRED",
                "The call did not come through the edge",
                "The services take calls from the edge only. Send the call there, with an API key.",
            ),
            PrincipalError::Expired => (
                "PRINCIPAL_EXPIRED",
                "The edge signed this call too long ago",
                "The signature of the edge is good for a minute. If the call is new, compare the clocks of edge and service.",
            ),
            PrincipalError::OtherRequest => (
                "PRINCIPAL_MISMATCH",
                "The edge signed another call",
                "Method or path differ from those that the edge checked. Something between edge and service rewrites them.",
            ),
        };
        own_problem(code, StatusCode::UNAUTHORIZED, title, detail)
    })
}

/// The refusal of a request whose key lacks a scope, if it does.
pub fn lacks(principal: &Principal, needed: Scope) -> Option<Response> {
    if principal.scopes.allows(needed) {
        return None;
    }
    let required = ScopeSet::from_iter([needed]);
    let mut problem = problem::SCOPE_MISSING.problem("", format!("This call needs the scope {needed}."), "");
    problem.required = required.names();
    problem.granted = Some(principal.scopes.names());
    problem.missing = principal.scopes.missing(required).names();
    Some(send(problem))
}

/// Current time.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
pub fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
