//! What is to be explained, as it was asked for and as it was understood.

use crate::{
    digest::SecretHash,
    failure::{Failure, Findings},
    limit::COST_MAX,
    locator::Locator,
    problem::{Kind, METHOD_NOT_ALLOWED, NOT_FOUND},
    route::{self, Found, Own, Place},
    scope::ScopeSet,
    time::Timestamp,
    token::{Environment, Token, TokenError},
};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The request. It may hold a credential, so it cannot be printed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExplainRequest {
    /// Id of the key; or else the key itself.
    pub key_id: Option<String>,
    /// The key itself, as the call carries it.
    pub key: Option<String>,
    /// Names of the scopes that the call needs; or else method and path.
    pub scopes: Vec<String>,
    /// Id of the channel that the call is about.
    pub channel: Option<String>,
    /// The address that the call comes from.
    pub address: Option<String>,
    /// HTTP method of a call to the edge.
    pub method: Option<String>,
    /// Path of a call to the edge.
    pub path: Option<String>,
    /// The world that the key's text names, if it is not given.
    pub environment: Option<String>,
    /// RFC 3339 time of the call; none for now.
    pub at: Option<String>,
    /// What the call costs of the key's limits, as a service asks by `POST /v1/verify`; 1 if absent.
    pub cost: Option<u32>,
}

/// The key that a call comes with.
pub enum Subject {
    /// The key of this id.
    Id(Locator),
    /// The key of this id in this world, with this secret.
    Key(Locator, Environment, SecretHash),
    /// Something else.
    Malformed(TokenError),
}

/// What a call wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// These scopes, for this channel, as a service asks by `POST /v1/verify`.
    Scopes(ScopeSet, Option<String>),
    /// What lies under a path of the edge.
    Route {
        /// HTTP method.
        method: String,
        /// Path without a query.
        path: String,
    },
}

/// A call that is to be explained, but for its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What it wants.
    pub wanted: Wanted,
    /// Where it comes from, if that is known.
    pub address: Option<IpAddr>,
    /// The world that the key's text names, if that is known.
    pub environment: Option<Environment>,
    /// When it is made; none for now.
    pub at: Option<Timestamp>,
    /// What it costs of the limits, if that is not what such calls always cost.
    #[serde(default)]
    pub cost: Option<u32>,
}

impl Case {
    /// The scopes that the call needs. A path that leads nowhere needs none.
    pub fn required(&self) -> ScopeSet {
        match &self.wanted {
            Wanted::Scopes(scopes, _) => *scopes,
            Wanted::Route { method, path } => match Place::of(method, path) {
                Place::Own(own) => own.required(),
                Place::Gateway(Found::Route(route)) => ScopeSet::from_iter([route.scope]),
                _ => ScopeSet::EMPTY,
            },
        }
    }

    /// The channel that the call is about.
    pub fn channel(&self) -> Option<Cow<'_, str>> {
        match &self.wanted {
            Wanted::Scopes(_, channel) => channel.as_deref().map(Cow::Borrowed),
            Wanted::Route { method, path } => match route::find(method, path) {
                Found::Route(route) => route.channel_of(path),
                _ => None,
            },
        }
    }
}

impl Case {
    /// The cost of the call: 1 if it goes through the gateway or asks about another key, and
    /// nothing at the edge's other addresses.
    pub fn cost(&self) -> u32 {
        match &self.wanted {
            Wanted::Route { method, path } => {
                u32::from(matches!(Place::of(method, path), Place::Gateway(_) | Place::Own(Own::Verify)))
            }
            Wanted::Scopes(..) => self.cost.unwrap_or(1),
        }
    }

    /// Whether the edge answers it whatever key comes.
    pub fn is_open(&self) -> bool {
        matches!(&self.wanted, Wanted::Route { method, path } if matches!(Way::of(method, path), Way::Open(_)))
    }
}

/// Where a call to the edge leads.
pub enum Way {
    /// To what lies under this pattern, if its key is good.
    Keyed(&'static str),
    /// To an answer that the edge gives whatever key comes.
    Open(Open),
    /// Nowhere.
    Refused(&'static Kind, String),
}

/// An answer that the edge gives whatever key comes.
#[derive(Clone, Copy)]
pub struct Open {
    /// The address, if it is not any.
    pub path: Option<&'static str>,
    /// The status of the answer.
    pub status: u16,
    /// What the answer is.
    pub detail: &'static str,
}

impl Way {
    /// Looks up a method and a path without its query.
    pub fn of(method: &str, path: &str) -> Self {
        let open = |path, status, detail| Self::Open(Open { path, status, detail });
        match Place::of(method, path) {
            Place::Preflight => open(None, 204, PREFLIGHT),
            Place::Own(Own::Health) => open(Some(Own::Health.path()), 200, HEALTH),
            Place::Own(own) => Self::Keyed(own.path()),
            Place::Gateway(Found::Route(route)) => Self::Keyed(route.pattern),
            Place::Method(allowed) => Self::other_methods(allowed),
            Place::Gateway(Found::Method(allowed)) => Self::other_methods(&allowed),
            Place::Gateway(Found::None(why)) => Self::Refused(&NOT_FOUND, why.to_string()),
        }
    }

    fn other_methods(allowed: &[&str]) -> Self {
        Self::Refused(&METHOD_NOT_ALLOWED, format!("This path takes {}.", allowed.join(", ")))
    }
}

const PREFLIGHT: &str = "The edge tells browsers what they may send, whatever key comes with the call.";
const HEALTH: &str = "The edge says that it runs, whatever key comes with the call.";

impl ExplainRequest {
    /// What is asked, or everything that is wrong with it.
    pub fn read(&self) -> Result<(Subject, Case), Failure> {
        let mut found = Findings::default();
        let subject = match (&self.key_id, &self.key) {
            (Some(id), None) => found.take("key_id", id.parse().map(Subject::Id).map_err(|_| not("an id of a key"))),
            (None, Some(text)) => Some(Token::parse(text.trim()).map_or_else(Subject::Malformed, |token| {
                Subject::Key(token.locator, token.environment, SecretHash::of(&token.secret))
            })),
            (None, None) => found.take("key_id", Err("Say which key: give key_id or key.".into())),
            (Some(_), Some(_)) => found.take("key", Err("Give key_id or key, not both.".into())),
        };
        let wanted = self.wanted(&mut found);
        let address = self.address.as_deref().map(|text| text.parse().map_err(|_| not("an IPv4 or IPv6 address")));
        let address = address.map(|address| found.take("address", address));
        let named = match &subject {
            Some(Subject::Key(_, environment, _)) => Some(*environment),
            _ => None,
        };
        let environment = self.environment.as_deref().map(|text| match (text.parse(), named) {
            (Ok(environment), None) => Ok(environment),
            (Ok(_), Some(_)) => Err("The key says that itself.".into()),
            (Err(()), _) => Err("Choose live or test.".into()),
        });
        let environment = environment.map(|environment| found.take("environment", environment));
        let at = self.at.as_deref().map(|text| Timestamp::parse(text).ok_or_else(|| not("a time in RFC 3339")));
        let at = at.map(|at| found.take("at", at));
        let case = wanted.map(|wanted| Case {
            wanted,
            address: address.flatten(),
            environment: environment.flatten().or(named),
            at: at.flatten(),
            cost: self.cost,
        });
        if self.cost.is_some_and(|cost| cost > COST_MAX) {
            found.take::<()>("cost", Err(format!("This must be a whole number from 0 to {COST_MAX}.")));
        }
        found.finish(subject.zip(case))
    }

    fn wanted(&self, found: &mut Findings) -> Option<Wanted> {
        match (&self.method, &self.path) {
            (None, None) => {
                let scopes = ScopeSet::from_names(self.scopes.iter().map(String::as_str));
                let scopes = found.take("scopes", scopes.map_err(|error| error.to_string()))?;
                Some(Wanted::Scopes(scopes, self.channel.clone()))
            }
            (Some(_), Some(_)) if !self.scopes.is_empty() => {
                found.take("scopes", Err("Method and path say what is needed.".into()))
            }
            (Some(_), Some(_)) if self.channel.is_some() => {
                found.take("channel", Err("The path says which channel the call is about.".into()))
            }
            (Some(_), Some(_)) if self.cost.is_some() => {
                found.take("cost", Err("The path says what the call costs.".into()))
            }
            (Some(method), Some(path)) => {
                let path = path.split('?').next().unwrap_or_default().to_owned();
                Some(Wanted::Route { method: method.clone(), path })
            }
            (Some(_), None) => found.take("path", Err("A method needs a path.".into())),
            (None, Some(_)) => found.take("method", Err("A path needs a method.".into())),
        }
    }
}

fn not(what: &str) -> String {
    format!("This is not {what}.")
}
