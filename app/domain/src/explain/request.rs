//! Explain requests: the JSON body, its validation and the parsed form.

use crate::{
    digest::SecretHash,
    environment::Environment,
    failure::{Failure, FieldErrors},
    limit::COST_MAX,
    locator::Locator,
    problem::{METHOD_NOT_ALLOWED, NOT_FOUND, ProblemKind},
    route::{self, EdgeEndpoint, RequestTarget, RouteMatch},
    scope::ScopeSet,
    time::Timestamp,
    token::{Token, TokenError},
};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Body of an explain request. It can hold a credential, so it cannot be printed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainRequest {
    /// Id of the key; alternative to `key`.
    pub key_id: Option<String>,
    /// Key text, as the request carries it.
    pub key: Option<String>,
    /// Names of the scopes that the request needs; alternative to `method` and `path`.
    pub scopes: Vec<String>,
    /// Id of the channel that the request concerns.
    pub channel: Option<String>,
    /// Client IP of the request.
    pub address: Option<String>,
    /// HTTP method of a request to the edge.
    pub method: Option<String>,
    /// Path of a request to the edge.
    pub path: Option<String>,
    /// Environment in the key's text, for a body without `key`.
    pub environment: Option<String>,
    /// RFC 3339 time of the request; absent for now.
    pub at: Option<String>,
    /// Permits that the request costs, as in `POST /v1/verify`; 1 if absent.
    pub cost: Option<u32>,
}

/// The key of the explained request.
pub enum ExplainedKey {
    /// Id of the key, without a secret.
    Id(Locator),
    /// Id, environment and secret hash of the key.
    Key(Locator, Environment, SecretHash),
    /// Text without the format of a key.
    Malformed(TokenError),
}

/// Target of the explained request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Scopes and channel, as in `POST /v1/verify`.
    Scopes(ScopeSet, Option<String>),
    /// Route of the edge.
    Route {
        /// HTTP method.
        method: String,
        /// Path without the query.
        path: String,
    },
}

/// A parsed request to explain, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Scopes or route that the request needs.
    pub wanted: Target,
    /// Client IP, if known.
    pub address: Option<IpAddr>,
    /// Environment in the key's text, if known.
    pub environment: Option<Environment>,
    /// Time of the request; `None` for now.
    pub at: Option<Timestamp>,
    /// Permits that the request costs; `None` for the default.
    #[serde(default)]
    pub cost: Option<u32>,
}

impl Case {
    /// Returns the scopes that the request needs. An unknown path needs none.
    pub fn required(&self) -> ScopeSet {
        match &self.wanted {
            Target::Scopes(scopes, _) => *scopes,
            Target::Route { method, path } => match RequestTarget::of(method, path) {
                RequestTarget::Endpoint(endpoint) => endpoint.required(),
                RequestTarget::Gateway(RouteMatch::Route(route)) => ScopeSet::from_iter([route.scope]),
                _ => ScopeSet::EMPTY,
            },
        }
    }

    /// Returns the channel that the request concerns.
    pub fn channel(&self) -> Option<Cow<'_, str>> {
        match &self.wanted {
            Target::Scopes(_, channel) => channel.as_deref().map(Cow::Borrowed),
            Target::Route { method, path } => match route::find(method, path) {
                RouteMatch::Route(route) => route.channel_of(path),
                _ => None,
            },
        }
    }
}

impl Case {
    /// Returns the permits that the request costs.
    ///
    /// A gateway or verify request costs 1 by default. Other endpoints of the edge cost nothing.
    pub fn cost(&self) -> u32 {
        match &self.wanted {
            Target::Route { method, path } => u32::from(matches!(
                RequestTarget::of(method, path),
                RequestTarget::Gateway(_) | RequestTarget::Endpoint(EdgeEndpoint::Verify)
            )),
            Target::Scopes(..) => self.cost.unwrap_or(1),
        }
    }

    /// Returns true if the edge gives the same response for any key.
    pub fn is_open(&self) -> bool {
        matches!(&self.wanted, Target::Route { method, path } if matches!(Routing::of(method, path), Routing::PublicResponse(_)))
    }
}

/// Routing result of a request to the edge.
pub enum Routing {
    /// The route has this pattern and needs a valid key.
    Keyed(&'static str),
    /// The edge gives this response for any key.
    PublicResponse(PublicResponse),
    /// The path is unknown, or does not accept the method.
    Refused(&'static ProblemKind, String),
}

/// A response that the edge gives for any key.
#[derive(Clone, Copy)]
pub struct PublicResponse {
    /// Path of the endpoint; `None` for any path.
    pub path: Option<&'static str>,
    /// HTTP status of the response.
    pub status: u16,
    /// Description of the response.
    pub detail: &'static str,
}

impl Routing {
    /// Routes a method and a path without its query.
    pub fn of(method: &str, path: &str) -> Self {
        let open = |path, status, detail| Self::PublicResponse(PublicResponse { path, status, detail });
        match RequestTarget::of(method, path) {
            RequestTarget::Preflight => open(None, 204, PREFLIGHT),
            RequestTarget::Endpoint(EdgeEndpoint::Health) => open(Some(EdgeEndpoint::Health.path()), 200, HEALTH),
            RequestTarget::Endpoint(endpoint) => Self::Keyed(endpoint.path()),
            RequestTarget::Gateway(RouteMatch::Route(route)) => Self::Keyed(route.pattern),
            RequestTarget::Method(allowed) => Self::other_methods(allowed),
            RequestTarget::Gateway(RouteMatch::Method(allowed)) => Self::other_methods(&allowed),
            RequestTarget::Gateway(RouteMatch::None(why)) => Self::Refused(&NOT_FOUND, why.to_string()),
        }
    }

    fn other_methods(allowed: &[&str]) -> Self {
        Self::Refused(&METHOD_NOT_ALLOWED, format!("This path takes {}.", allowed.join(", ")))
    }
}

const PREFLIGHT: &str = "The edge tells browsers what they may send, whatever key comes with the call.";
const HEALTH: &str = "The edge says that it runs, whatever key comes with the call.";

impl ExplainRequest {
    /// Parses and validates the body.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with every invalid field.
    pub fn read(&self) -> Result<(ExplainedKey, Case), Failure> {
        let mut errors = FieldErrors::default();
        let subject = match (&self.key_id, &self.key) {
            (Some(id), None) => {
                errors.take("key_id", id.parse().map(ExplainedKey::Id).map_err(|_| not("an id of a key")))
            }
            (None, Some(text)) => Some(Token::parse(text.trim()).map_or_else(ExplainedKey::Malformed, |token| {
                ExplainedKey::Key(token.locator, token.environment, SecretHash::of(&token.secret))
            })),
            (None, None) => errors.take("key_id", Err("Say which key: give key_id or key.".into())),
            (Some(_), Some(_)) => errors.take("key", Err("Give key_id or key, not both.".into())),
        };
        let wanted = self.wanted(&mut errors);
        let address = self.address.as_deref().map(|text| text.parse().map_err(|_| not("an IPv4 or IPv6 address")));
        let address = address.map(|address| errors.take("address", address));
        let named = match &subject {
            Some(ExplainedKey::Key(_, environment, _)) => Some(*environment),
            _ => None,
        };
        let environment = self.environment.as_deref().map(|text| match (text.parse(), named) {
            (Ok(environment), None) => Ok(environment),
            (Ok(_), Some(_)) => Err("The key says that itself.".into()),
            (Err(()), _) => Err("Choose live or test.".into()),
        });
        let environment = environment.map(|environment| errors.take("environment", environment));
        let at = self.at.as_deref().map(|text| Timestamp::parse(text).ok_or_else(|| not("a time in RFC 3339")));
        let at = at.map(|at| errors.take("at", at));
        let case = wanted.map(|wanted| Case {
            wanted,
            address: address.flatten(),
            environment: environment.flatten().or(named),
            at: at.flatten(),
            cost: self.cost,
        });
        if self.cost.is_some_and(|cost| cost > COST_MAX) {
            errors.take::<()>("cost", Err(format!("This must be a whole number from 0 to {COST_MAX}.")));
        }
        errors.finish(subject.zip(case))
    }

    fn wanted(&self, errors: &mut FieldErrors) -> Option<Target> {
        match (&self.method, &self.path) {
            (None, None) => {
                let scopes = ScopeSet::from_names(self.scopes.iter().map(String::as_str));
                let scopes = errors.take("scopes", scopes.map_err(|error| error.to_string()))?;
                Some(Target::Scopes(scopes, self.channel.clone()))
            }
            (Some(_), Some(_)) if !self.scopes.is_empty() => {
                errors.take("scopes", Err("Method and path say what is needed.".into()))
            }
            (Some(_), Some(_)) if self.channel.is_some() => {
                errors.take("channel", Err("The path says which channel the call is about.".into()))
            }
            (Some(_), Some(_)) if self.cost.is_some() => {
                errors.take("cost", Err("The path says what the call costs.".into()))
            }
            (Some(method), Some(path)) => {
                let path = path.split('?').next().unwrap_or_default().to_owned();
                Some(Target::Route { method: method.clone(), path })
            }
            (Some(_), None) => errors.take("path", Err("A method needs a path.".into())),
            (None, Some(_)) => errors.take("method", Err("A path needs a method.".into())),
        }
    }
}

fn not(what: &str) -> String {
    format!("This is not {what}.")
}
