//! Timeouts on futures, with a timer of the platform.

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
pub async fn within<T>(timeout: Duration, work: impl Future<Output = T>) -> Option<T> {
    let Some(timer) = timer(timeout).ok() else { return Some(work.await) };
    match select(pin!(work), timer).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// Returns a cancellable timer. The bindings' own delay breaks on cancellation, since the
/// platform's timer ids are objects.
fn timer(length: Duration) -> Result<SendFuture<JsFuture>> {
    let scheduler = Reflect::get(&global(), &"scheduler".into())?;
    let wait: Function = Reflect::get(&scheduler, &"wait".into())?.dyn_into()?;
    let promise: Promise = wait.call1(&scheduler, &(length.as_secs_f64() * 1_000.0).into())?.dyn_into()?;
    Ok(SendFuture::new(JsFuture::from(promise)))
}
