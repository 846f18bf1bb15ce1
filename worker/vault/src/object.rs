//! Durable Object stubs, requests from one object to another, and the platform's clock, secrets and
//! randomness.

use crate::log;
use ownchat_domain::{
    failure::Failure,
    keyring::Keyring,
    log::REQUEST_ID_HEADER,
    time::Timestamp,
    vault::{Command, Object, Outcome},
};
use std::{future::Future, pin::Pin};
use worker::{Date, Env, Headers, Method, Request, RequestInit, Stub};

/// Returns the stub of the object that a path names, if it names one.
pub fn stub(env: &Env, path: &str) -> Option<worker::Result<Stub>> {
    Object::parse(path).map(|(object, _)| stub_of(env, object))
}

fn stub_of(env: &Env, object: Object) -> worker::Result<Stub> {
    let (namespace, name) = match object {
        Object::Instance => ("INSTANCE", "instance".to_owned()),
        Object::Hasher(queue) => ("HASHER", queue.as_str().to_owned()),
        Object::Person(id) => ("PERSON", id.to_string()),
        Object::Registry(number) => ("REGISTRY", number.to_string()),
        Object::Meter(locator) => ("METER", locator.to_string()),
        Object::Feed(shard) => ("FEED", shard.to_string()),
        Object::Usage(number) => ("USAGE", number.to_string()),
    };
    env.durable_object(namespace)?.id_from_name(&name)?.get_stub()
}

/// Sends a command to another object.
///
/// # Errors
///
/// Unavailable if the object cannot be reached or its response cannot be read.
pub async fn send<C: Command>(env: &Env, object: Object, command: &C) -> Outcome<C::Answer> {
    let response = match serde_json::to_string(command) {
        Ok(body) => post(env, object, C::NAME, body).await,
        Err(error) => Err(error.into()),
    };
    let outcome = response.and_then(|body| Ok(serde_json::from_str(&body)?));
    outcome.unwrap_or_else(|error| {
        log::error(format_args!("{}: {error}", C::NAME));
        Err(Failure::Unavailable)
    })
}

/// Posts a body and returns the response body. Boxed and not generic, so that its code is compiled
/// once.
fn post<'a>(
    env: &'a Env,
    object: Object,
    name: &'a str,
    body: String,
) -> Pin<Box<dyn Future<Output = worker::Result<String>> + 'a>> {
    Box::pin(async move {
        let mut init = RequestInit::new();
        let headers = Headers::new();
        if let Some(id) = log::request_id() {
            headers.set(REQUEST_ID_HEADER, &id)?;
        }
        init.with_method(Method::Post).with_headers(headers).with_body(Some(body.into()));
        let request = Request::new_with_init(&format!("https://vault{}", object.path(name)), &init)?;
        stub_of(env, object)?.fetch_with_request(request).await?.text().await
    })
}

/// Current time of the platform.
pub fn now() -> Timestamp {
    Timestamp::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// Master secrets of the deployment.
///
/// # Errors
///
/// Fails if `MASTER_KEYS` is missing or malformed.
pub fn keyring(env: &Env) -> worker::Result<Keyring> {
    Keyring::parse(&env.secret("MASTER_KEYS")?.to_string()).map_err(|error| worker::Error::RustError(error.to_string()))
}

/// Random bytes from the platform's cryptographic generator.
pub fn random<const N: usize>() -> worker::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(bytes)
}
