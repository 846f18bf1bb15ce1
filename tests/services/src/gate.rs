//! The gate: no call passes without a principal that the edge has signed a moment ago.

use crate::answer::{own_problem, problem, send};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};
use ownchat_domain::{
    principal::{self, Principal},
    problem,
    route::{self, Found},
    scope::{Scope, ScopeSet},
    time::Timestamp,
};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// What the gate knows.
#[derive(Debug)]
pub struct Gate {
    /// The key under which the edge signs.
    pub principal_key: Vec<u8>,
}

/// Lets a call pass if the edge vouches for it, and hands the principal on.
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
    let Some(principal) = believe(&gate, headers) else {
        return own_problem(
            "PRINCIPAL_REQUIRED",
            StatusCode::UNAUTHORIZED,
            "The call did not come through the edge",
            "The services take calls from the edge only. Send the call there, with an API key.",
        );
    };
    let needed = match route::find(request.method().as_str(), request.uri().path()) {
        Found::Route(route) => route.scope,
        Found::Method(_) => return problem(&problem::METHOD_NOT_ALLOWED, "This address takes other methods."),
        Found::None => return problem(&problem::NOT_FOUND, "There is no such address in the Ownchat API."),
    };
    // The edge has looked at the scope already; what is cheap is checked at both doors.
    if let Some(refusal) = lacks(&principal, needed) {
        return refusal;
    }
    request.extensions_mut().insert(principal);
    next.run(request).await
}

fn believe(gate: &Gate, headers: &HeaderMap) -> Option<Principal> {
    let mut values = headers.get_all(principal::HEADER).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    Principal::verify(value, &gate.principal_key, now()).ok()
}

/// The refusal of a call whose key lacks a scope, if it does.
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

/// The time.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
pub fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
