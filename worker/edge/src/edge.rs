//! What an isolate of the edge sets up once and keeps: secrets, addresses, and what it remembers.

use crate::{answer::Answers, gate::Gate};
use base64::{Engine, engine::general_purpose::STANDARD};
use ownchat_domain::{keyring::Keyring, time::Timestamp};
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};
use worker::{Date, Env, Error, Result};

/// Fewest bytes of the key that signs principals.
const PRINCIPAL_KEY_MIN: usize = 32;

/// One isolate's edge.
#[derive(Debug)]
pub struct Edge {
    /// Checks keys.
    pub gate: Gate,
    /// Signs who is calling, for the services.
    pub principal_key: Vec<u8>,
    /// Origin of the services, without a slash at the end.
    pub upstream: String,
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
    pub fn of(env: &Env) -> Result<Rc<Self>> {
        EDGE.with(|cell| {
            if let Some(edge) = cell.get() {
                return Ok(edge.clone());
            }
            let edge = Rc::new(Self::set_up(env)?);
            Ok(cell.get_or_init(|| edge).clone())
        })
    }

    /// What answers to the call of this id are made with.
    pub fn answers<'a>(&'a self, request_id: &'a str) -> Answers<'a> {
        Answers { console: &self.console, request_id }
    }

    fn set_up(env: &Env) -> Result<Self> {
        let keyring = Keyring::parse(&env.secret("MASTER_KEYS")?.to_string()).map_err(|error| wrong(&error))?;
        let principal_key = STANDARD
            .decode(env.secret("PRINCIPAL_KEY")?.to_string())
            .ok()
            .filter(|key| key.len() >= PRINCIPAL_KEY_MIN)
            .ok_or_else(|| wrong(&"PRINCIPAL_KEY is not base64 of at least 32 bytes"))?;
        let origin = |name: &str| env.var(name).map(|url| url.to_string().trim_end_matches('/').to_owned());
        Ok(Self {
            gate: Gate::new(keyring),
            principal_key,
            upstream: origin("UPSTREAM_URL")?,
            console: origin("CONSOLE_URL")?,
        })
    }
}

fn wrong(error: &impl ToString) -> Error {
    Error::RustError(error.to_string())
}

/// The time, as the platform tells it.
pub fn now() -> Timestamp {
    Timestamp::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// So many ids are drawn at once: the platform's generator takes longer to be asked than to answer.
const IDS: usize = 64;

thread_local! {
    static DRAWN: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// A random number of 128 bits from the platform's generator.
pub fn random() -> Result<u128> {
    DRAWN.with(|drawn| {
        let mut drawn = drawn.borrow_mut();
        if let Some(number) = drawn.pop() {
            return Ok(number);
        }
        let mut bytes = [[0u8; 16]; IDS];
        getrandom::fill(bytes.as_flattened_mut()).map_err(|error| wrong(&error))?;
        drawn.extend(bytes.into_iter().skip(1).map(u128::from_be_bytes));
        let [first, ..] = bytes;
        Ok(u128::from_be_bytes(first))
    })
}

/// An id for a request: 32 hexadecimal digits.
pub fn request_id() -> Result<String> {
    Ok(format!("{:032x}", random()?))
}
