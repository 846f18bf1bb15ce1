//! Log of the objects: lines of JSON with the id of the request that they serve.

use core::fmt::{Arguments, Display};
use ownchat_domain::log::{Level, LogLine, REQUEST_ID_HEADER};
use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
};
use worker::{Request, console_error, console_warn};

/// The origin of a line: the kind of object, and the request that it serves. An alarm has none.
#[derive(Clone, Debug)]
struct LogContext {
    object: &'static str,
    request_id: Option<Rc<str>>,
}

thread_local! {
    static CONTEXT: RefCell<Option<LogContext>> = const { RefCell::new(None) };
}

/// Runs the work of an object for a request, or for an alarm if there is no request id. The lines
/// that it logs name both, though the isolate runs other work between its steps.
///
/// `work` is boxed, so that this code is compiled once.
pub async fn within<T>(
    object: &'static str,
    request_id: Option<Rc<str>>,
    mut work: Pin<Box<dyn Future<Output = T> + '_>>,
) -> T {
    let log_context = LogContext { object, request_id };
    poll_fn(|context| {
        let outer = CONTEXT.replace(Some(log_context.clone()));
        let polled = work.as_mut().poll(context);
        CONTEXT.set(outer);
        polled
    })
    .await
}

/// Returns the id of a request from edge, console or another object.
pub fn id_of(request: &Request) -> Option<Rc<str>> {
    request.headers().get(REQUEST_ID_HEADER).ok().flatten().map(Into::into)
}

/// Returns the id of the request that is served now.
pub fn request_id() -> Option<Rc<str>> {
    CONTEXT.with_borrow(|context| context.as_ref()?.request_id.clone())
}

/// Logs a failure that recovers by itself.
pub fn warning(message: Arguments<'_>) {
    console_warn!("{}", line(Level::Warning, message));
}

/// Logs a failure that an operator should look into.
pub fn error(message: Arguments<'_>) {
    console_error!("{}", line(Level::Error, message));
}

/// Logs errors that stop nothing.
pub fn errors(errors: Vec<String>) {
    for reason in errors {
        error(format_args!("{reason}"));
    }
}

/// Logs an internal error; the caller gets no detail.
pub fn internal_error(reason: impl Display) -> worker::Error {
    error(format_args!("{reason}"));
    worker::Error::RustError("internal error".into())
}

fn line(level: Level, message: Arguments<'_>) -> String {
    CONTEXT.with_borrow(|context| {
        let object = context.as_ref().map_or("vault", |context| context.object);
        let id = context.as_ref().and_then(|context| context.request_id.as_deref());
        LogLine::new(level, "vault", &format!("{object}: {message}")).with_request_id(id).to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        cell::Cell,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    #[test]
    fn concurrent_requests_keep_their_ids() {
        let turn = Cell::new(0);
        let serve = |id: &'static str| {
            within(
                "registry",
                Some(id.into()),
                Box::pin(async {
                    let before = line(Level::Error, format_args!("first"));
                    let mut waits = true;
                    poll_fn(|_| if core::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }).await;
                    turn.set(turn.get() + 1);
                    [before, line(Level::Warning, format_args!("step {}", turn.get()))]
                }),
            )
        };
        let (mut one, mut two) = (pin!(serve("1")), pin!(serve("2")));
        let mut context = Context::from_waker(Waker::noop());
        assert!(one.as_mut().poll(&mut context).is_pending() && two.as_mut().poll(&mut context).is_pending());
        assert_eq!(
            line(Level::Error, format_args!("idle")),
            r#"{"level":"error","worker":"vault","message":"vault: idle"}"#
        );
        let Poll::Ready(two) = two.as_mut().poll(&mut context) else { panic!("two waits") };
        let Poll::Ready(one) = one.as_mut().poll(&mut context) else { panic!("one waits") };
        assert_eq!(
            one,
            [
                r#"{"level":"error","worker":"vault","message":"registry: first","request_id":"1"}"#,
                r#"{"level":"warning","worker":"vault","message":"registry: step 2","request_id":"1"}"#
            ]
        );
        assert!(two.iter().all(|line| line.contains(r#""request_id":"2""#)), "{two:?}");
    }
}
