//! The state of one isolate: configuration and authorizer, created by its first request.

use crate::{
    authorizer::Authorizer,
    gateway::Timeouts,
    platform::{ErrorText, Platform},
    response::Responder,
    service_tokens::ServiceTokens,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ownchat_domain::keyring::Keyring;
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

/// Minimum bytes of the key that signs principals.
const PRINCIPAL_KEY_MIN: usize = 32;

/// The edge of one isolate.
#[derive(Debug)]
pub struct Edge {
    /// Authorizes keys.
    pub authorizer: Authorizer,
    /// Authenticates Ownchat's own services.
    pub service_tokens: ServiceTokens,
    /// Signs principals for the services.
    pub principal_key: Vec<u8>,
    /// Origin of the services, without a trailing slash.
    pub upstream: String,
    /// Timeouts of a forwarded request.
    pub timeouts: Timeouts,
    /// Origin of the console, whose pages explain the problems.
    pub console: String,
}

thread_local! {
    static EDGE: OnceCell<Rc<Edge>> = const { OnceCell::new() };
}

impl Edge {
    /// Returns the isolate's edge, if a request has created it.
    pub fn get() -> Option<Rc<Self>> {
        EDGE.with(|cell| cell.get().cloned())
    }

    /// Returns the isolate's edge, which the first request creates. Bindings do not change while an
    /// isolate lives.
    ///
    /// # Errors
    ///
    /// Fails if a binding is missing or invalid.
    pub fn get_or_init(platform: &Platform) -> Result<Rc<Self>, ErrorText> {
        EDGE.with(|cell| {
            if let Some(edge) = cell.get() {
                return Ok(edge.clone());
            }
            let edge = Rc::new(Self::init(platform)?);
            Ok(cell.get_or_init(|| edge).clone())
        })
    }

    /// Returns the responder to the request of this id.
    pub fn responder<'a>(&'a self, request_id: &'a str) -> Responder<'a> {
        Responder { console: &self.console, request_id }
    }

    fn init(platform: &Platform) -> Result<Self, ErrorText> {
        let keyring = Keyring::parse(&platform.required("MASTER_KEYS")?).map_err(|error| error.to_string())?;
        let principal_key = STANDARD
            .decode(platform.required("PRINCIPAL_KEY")?)
            .ok()
            .filter(|key| key.len() >= PRINCIPAL_KEY_MIN)
            .ok_or("PRINCIPAL_KEY is not base64 of at least 32 bytes")?;
        let origin = |name: &str| platform.required(name).map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self {
            authorizer: Authorizer::new(keyring),
            service_tokens: ServiceTokens::parse(&platform.optional("SERVICE_TOKENS").unwrap_or_default())?,
            principal_key,
            upstream: origin("UPSTREAM_URL")?,
            timeouts: Timeouts::from_variables(|name| platform.optional(name))?,
            console: origin("CONSOLE_URL")?,
        })
    }
}

/// Random numbers per draw. Each use of the platform's generator costs more than its bytes.
const BATCH: usize = 64;

thread_local! {
    static RANDOM: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// Returns a random number of 128 bits from the platform's generator, which never fails; 0 if it
/// should.
pub fn random() -> u128 {
    RANDOM.with(|numbers| {
        let mut numbers = numbers.borrow_mut();
        if numbers.is_empty() {
            let mut bytes = [[0u8; 16]; BATCH];
            if getrandom::fill(bytes.as_flattened_mut()).is_ok() {
                numbers.extend(bytes.into_iter().map(u128::from_be_bytes));
            }
        }
        numbers.pop().unwrap_or(0)
    })
}
