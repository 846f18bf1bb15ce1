//! Waiting for another object, and not for ever.

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

/// What `work` comes to, or nothing if that takes longer than so many milliseconds.
pub async fn within<T>(millis: u32, work: impl Future<Output = T>) -> Option<T> {
    let Ok(pause) = pause(millis) else { return Some(work.await) };
    let (mut work, mut pause) = (pin!(work), pin!(pause));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => pause.as_mut().poll(context).map(|_| None),
    })
    .await
}

/// A pause of so many milliseconds that may be given up before its end; the bindings' own delay
/// breaks when it is.
pub fn pause(millis: u32) -> Result<JsFuture> {
    let scheduler = Reflect::get(&global(), &"scheduler".into())?;
    let wait: Function = Reflect::get(&scheduler, &"wait".into())?.dyn_into()?;
    let promise: Promise = wait.call1(&scheduler, &millis.into())?.dyn_into()?;
    Ok(JsFuture::from(promise))
}
