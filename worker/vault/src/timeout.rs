//! Timeouts of requests to other objects, and a cancellable sleep.
//!
//! The console has a copy: Workers share only the domain, which knows no platform. Its copy is
//! `Send`, as axum requires.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use worker::{
    Result,
    js_sys::{Function, Promise, Reflect, global},
    wasm_bindgen::JsCast,
    wasm_bindgen_futures::JsFuture,
};

/// Returns the output of `future`, or `None` if it takes longer than `millis` milliseconds.
pub async fn with_timeout<T>(millis: u32, future: impl Future<Output = T>) -> Option<T> {
    let Ok(sleep) = sleep(millis) else { return Some(future.await) };
    let (mut future, mut sleep) = (pin!(future), pin!(sleep));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => sleep.as_mut().poll(context).map(|_| None),
    })
    .await
}

/// Sleeps for `millis` milliseconds. It may be dropped early; the delay of the bindings breaks when
/// it is.
pub fn sleep(millis: u32) -> Result<JsFuture> {
    let scheduler = Reflect::get(&global(), &"scheduler".into())?;
    let wait: Function = Reflect::get(&scheduler, &"wait".into())?.dyn_into()?;
    let promise: Promise = wait.call1(&scheduler, &millis.into())?.dyn_into()?;
    Ok(JsFuture::from(promise))
}
