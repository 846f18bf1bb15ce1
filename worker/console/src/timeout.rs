//! Timeouts on futures, with a timer of the platform.
//!
//! The vault has a copy: Workers share only the domain, which knows no platform. This copy is
//! `Send`, as axum requires.

use futures_util::future::{Either, select};
use std::{future::Future, pin::pin, time::Duration};
use worker::{
    Result,
    js_sys::{Function, Promise, Reflect, global},
    send::SendFuture,
    wasm_bindgen::JsCast,
    wasm_bindgen_futures::JsFuture,
};

/// Returns the output of `work`, or `None` after `timeout`.
pub async fn with_timeout<T>(timeout: Duration, work: impl Future<Output = T>) -> Option<T> {
    let Some(sleep) = sleep(timeout).ok() else { return Some(work.await) };
    match select(pin!(work), sleep).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Sleeps for `length`. It may be dropped early; the delay of the bindings breaks when it is, since
/// the platform's timer ids are objects.
fn sleep(length: Duration) -> Result<SendFuture<JsFuture>> {
    let scheduler = Reflect::get(&global(), &"scheduler".into())?;
    let wait: Function = Reflect::get(&scheduler, &"wait".into())?.dyn_into()?;
    let promise: Promise = wait.call1(&scheduler, &(length.as_secs_f64() * 1_000.0).into())?.dyn_into()?;
    Ok(SendFuture::new(JsFuture::from(promise)))
}
