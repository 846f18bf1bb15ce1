//! The platform, as `stores.mjs` provides it: bindings, stores, timers, clock, log.
//!
//! The edge needs six things of it. It has bindings of its own for those, instead of a library for
//! everything. That halves the code to load before the first response.

use crate::timeouts::KV;
use js_sys::Date;
use ownchat_domain::time::Timestamp;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Bindings, stores and timers of one request.
    pub type Platform;

    /// Returns a variable or secret, if it is bound.
    #[wasm_bindgen(method)]
    fn variable(this: &Platform, name: &str) -> Option<String>;

    /// Reads from KV with a timeout in milliseconds. The platform may serve the read from a cache
    /// of so many seconds.
    #[wasm_bindgen(method, js_name = replica)]
    async fn read_replica(this: &Platform, name: &str, cache_seconds: u32, millis: u32) -> StoreReply;

    /// Sends a request to the vault with a timeout in milliseconds: `POST` if there is a body, else
    /// `GET`.
    #[wasm_bindgen(method, js_name = vault)]
    async fn fetch_vault(this: &Platform, path: &str, body: Option<Vec<u8>>, millis: u32) -> StoreReply;

    /// Sleeps for so many milliseconds.
    #[wasm_bindgen(method)]
    pub async fn sleep(this: &Platform, millis: u32);

    /// Logs an error that somebody must look into, with the id of the request.
    #[wasm_bindgen(method, js_name = logError)]
    pub fn log_error(this: &Platform, message: &str);

    /// Logs a failure that recovers by itself, with the id of the request.
    #[wasm_bindgen(method, js_name = logWarning)]
    pub fn log_warning(this: &Platform, message: &str);

    /// The reply of a store.
    pub type StoreReply;

    /// The status; 0 if no response came.
    #[wasm_bindgen(method, getter)]
    fn status(this: &StoreReply) -> u16;

    /// The body; the error text if no response came.
    #[wasm_bindgen(method, getter)]
    fn body(this: &StoreReply) -> Vec<u8>;
}

/// The error of a store or binding, for the log.
pub type ErrorText = String;

impl Platform {
    /// Returns a variable or secret.
    ///
    /// # Errors
    ///
    /// Fails if it is not bound.
    pub fn required(&self, name: &str) -> Result<String, ErrorText> {
        self.variable(name).ok_or_else(|| format!("{name} is not bound"))
    }

    /// Returns an optional variable.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.variable(name)
    }

    /// Reads the replica of a key from KV, if there is one.
    ///
    /// # Errors
    ///
    /// Fails after the KV timeout, or with any status but 200 and 404.
    pub async fn replica(&self, name: &str, cache_seconds: u32) -> Result<Option<Vec<u8>>, ErrorText> {
        let reply = self.read_replica(name, cache_seconds, KV).await;
        match reply.status() {
            200 => Ok(Some(reply.body())),
            404 => Ok(None),
            status => Err(store_error(status, &reply)),
        }
    }

    /// Sends a request to the vault. Returns status and body.
    ///
    /// # Errors
    ///
    /// Fails if no response comes within `millis` milliseconds.
    pub async fn vault(&self, path: &str, body: Option<Vec<u8>>, millis: u32) -> Result<(u16, Vec<u8>), ErrorText> {
        let reply = self.fetch_vault(path, body, millis).await;
        match reply.status() {
            0 => Err(store_error(0, &reply)),
            status => Ok((status, reply.body())),
        }
    }

    /// Sleeps until a time.
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

/// Returns the error text of an unexpected status.
pub fn unexpected_status(status: u16) -> ErrorText {
    format!("unexpected status {status}")
}

/// Returns the platform's time.
pub fn now() -> Timestamp {
    from_js_time(Date::now())
}

/// Converts a time of JavaScript: milliseconds since 1970.
pub const fn from_js_time(millis: f64) -> Timestamp {
    #[allow(clippy::cast_possible_truncation, reason = "whole milliseconds, far below 2^53")]
    Timestamp::from_millis(millis as i64)
}
