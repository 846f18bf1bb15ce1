//! The platform, as `stores.mjs` hands it over: bindings, stores, timers, clock, log.
//!
//! The edge needs six things of it. Bindings of its own for those, instead of a library's for everything, make what
//! must be loaded to answer the first call half as large.

use crate::timeout::KV;
use js_sys::Date;
use ownchat_domain::time::Timestamp;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// The bindings of one call, and what can be done with them.
    pub type Platform;

    /// A variable or secret; nothing if it is not bound.
    #[wasm_bindgen(method)]
    fn variable(this: &Platform, name: &str) -> Option<String>;

    /// Reads from KV, within so many milliseconds; the answer may come from a cache of so many seconds.
    #[wasm_bindgen(method, js_name = replica)]
    async fn read_replica(this: &Platform, name: &str, cache_seconds: u32, millis: u32) -> StoreReply;

    /// Asks the vault, by `POST` if there is a body, within so many milliseconds.
    #[wasm_bindgen(method, js_name = vault)]
    async fn fetch_vault(this: &Platform, path: &str, body: Option<Vec<u8>>, millis: u32) -> StoreReply;

    /// Waits for so many milliseconds.
    #[wasm_bindgen(method)]
    pub async fn sleep(this: &Platform, millis: u32);

    /// What came back.
    pub type StoreReply;

    /// The status; 0 if nothing came.
    #[wasm_bindgen(method, getter)]
    fn status(this: &StoreReply) -> u16;

    /// The body; why nothing came, if nothing did.
    #[wasm_bindgen(method, getter)]
    fn body(this: &StoreReply) -> Vec<u8>;

    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);

    #[wasm_bindgen(js_namespace = console)]
    fn warn(text: &str);
}

/// Why a store did not answer as it should; for the log.
pub type ErrorText = String;

impl Platform {
    /// A variable or secret.
    pub fn required(&self, name: &str) -> Result<String, ErrorText> {
        self.variable(name).ok_or_else(|| format!("{name} is not bound"))
    }

    /// A variable that need not be set.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.variable(name)
    }

    /// The copy of a key in KV, if there is one.
    pub async fn replica(&self, name: &str, cache_seconds: u32) -> Result<Option<Vec<u8>>, ErrorText> {
        let reply = self.read_replica(name, cache_seconds, KV).await;
        match reply.status() {
            200 => Ok(Some(reply.body())),
            404 => Ok(None),
            status => Err(store_error(status, &reply)),
        }
    }

    /// What the vault answers: a status and a body.
    pub async fn vault(&self, path: &str, body: Option<Vec<u8>>, millis: u32) -> Result<(u16, Vec<u8>), ErrorText> {
        let reply = self.fetch_vault(path, body, millis).await;
        match reply.status() {
            0 => Err(store_error(0, &reply)),
            status => Ok((status, reply.body())),
        }
    }

    /// Waits until a time.
    pub async fn sleep_until(&self, due: Timestamp) {
        if let Ok(millis @ 1..) = u32::try_from(due.since(now())) {
            self.sleep(millis).await;
        }
    }
}

fn store_error(status: u16, reply: &StoreReply) -> ErrorText {
    match status {
        0 => String::from_utf8_lossy(&reply.body()).into_owned(),
        status => unexpected_status(status),
    }
}

/// What is wrong with an unexpected status.
pub fn unexpected_status(status: u16) -> ErrorText {
    format!("unexpected status {status}")
}

/// The time, as the platform tells it.
pub fn now() -> Timestamp {
    from_js_time(Date::now())
}

/// A time of JavaScript: milliseconds since 1970.
pub const fn from_js_time(millis: f64) -> Timestamp {
    #[allow(clippy::cast_possible_truncation, reason = "whole milliseconds, far below 2^53")]
    Timestamp::from_millis(millis as i64)
}

/// Notes what somebody must look into.
pub fn log_error(text: &str) {
    error(text);
}

/// Notes what mends itself.
pub fn log_warning(text: &str) {
    warn(text);
}
