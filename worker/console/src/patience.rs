//! Waiting for an answer, and not for ever.

use futures_util::future::{Either, select};
use std::{future::Future, pin::pin, time::Duration};
use worker::{
    Result,
    js_sys::{Function, Promise, Reflect, global},
    wasm_bindgen::JsCast,
    wasm_bindgen_futures::JsFuture,
};

/// What `work` comes to, or nothing if that takes longer.
pub async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    let Ok(pause) = pause(patience) else { return Some(work.await) };
    match select(pin!(work), pause).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(_) => None,
    }
}

/// A pause that may be given up before its end; the bindings' own delay breaks when it is, since the platform names its
/// timers by objects.
fn pause(length: Duration) -> Result<JsFuture> {
    let scheduler = Reflect::get(&global(), &"scheduler".into())?;
    let wait: Function = Reflect::get(&scheduler, &"wait".into())?.dyn_into()?;
    let promise: Promise = wait.call1(&scheduler, &(length.as_secs_f64() * 1_000.0).into())?.dyn_into()?;
    Ok(JsFuture::from(promise))
}
