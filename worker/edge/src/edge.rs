//! What an isolate of the edge sets up once and keeps: secrets, addresses, and what it remembers.

use crate::{
    authorizer::Authorizer,
    gateway::Limits,
    platform::{Platform, Trouble},
    response::Answers,
    response_cache::ResponseCache,
    service_tokens::ServiceTokens,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ownchat_domain::keyring::Keyring;
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

/// Fewest bytes of the key that signs principals.
const PRINCIPAL_KEY_MIN: usize = 32;

/// One isolate's edge.
#[derive(Debug)]
pub struct Edge {
    /// Checks keys.
    pub authorizer: Authorizer,
    /// Knows Ownchat's own services.
    pub services: ServiceTokens,
    /// The numbers of the answers that the entry keeps.
    pub responses: ResponseCache,
    /// Signs who is calling, for the services.
    pub principal_key: Vec<u8>,
    /// Origin of the services, without a slash at the end.
    pub upstream: String,
    /// How long each step of a forwarded request may take.
    pub limits: Limits,
    /// Origin of the console, whose pages explain the problems.
    pub console: String,
}

thread_local! {
    static EDGE: OnceCell<Rc<Edge>> = const { OnceCell::new() };
}

impl Edge {
    /// The isolate's edge, if a call has set it up.
    pub fn ready() -> Option<Rc<Self>> {
        EDGE.with(|cell| cell.get().cloned())
    }

    /// The isolate's edge, set up by its first call. Bindings do not change while an isolate lives.
    pub fn of(platform: &Platform) -> Result<Rc<Self>, Trouble> {
        EDGE.with(|cell| {
            if let Some(edge) = cell.get() {
                return Ok(edge.clone());
            }
            let edge = Rc::new(Self::set_up(platform)?);
            Ok(cell.get_or_init(|| edge).clone())
        })
    }

    /// What answers to the call of this id are made with.
    pub fn answers<'a>(&'a self, request_id: &'a str) -> Answers<'a> {
        Answers { console: &self.console, request_id }
    }

    fn set_up(platform: &Platform) -> Result<Self, Trouble> {
        let keyring = Keyring::parse(&platform.bound("MASTER_KEYS")?).map_err(|error| error.to_string())?;
        let principal_key = STANDARD
            .decode(platform.bound("PRINCIPAL_KEY")?)
            .ok()
            .filter(|key| key.len() >= PRINCIPAL_KEY_MIN)
            .ok_or("PRINCIPAL_KEY is not base64 of at least 32 bytes")?;
        let origin = |name: &str| platform.bound(name).map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self {
            authorizer: Authorizer::new(keyring),
            services: ServiceTokens::parse(&platform.optional("SERVICE_TOKENS").unwrap_or_default())?,
            responses: ResponseCache::default(),
            principal_key,
            upstream: origin("UPSTREAM_URL")?,
            limits: Limits::read(|name| platform.optional(name))?,
            console: origin("CONSOLE_URL")?,
        })
    }
}

/// So many ids are drawn at once: the platform's generator takes longer to be asked than to answer.
const IDS: usize = 64;

thread_local! {
    static DRAWN: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// A random number of 128 bits from the platform's generator, which never fails; 0 if it should.
pub fn random() -> u128 {
    DRAWN.with(|drawn| {
        let mut drawn = drawn.borrow_mut();
        if drawn.is_empty() {
            let mut bytes = [[0u8; 16]; IDS];
            if getrandom::fill(bytes.as_flattened_mut()).is_ok() {
                drawn.extend(bytes.into_iter().map(u128::from_be_bytes));
            }
        }
        drawn.pop().unwrap_or(0)
    })
}
