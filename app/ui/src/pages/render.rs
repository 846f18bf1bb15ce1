//! Renders a page, or turns its failure into a response.

use super::{problem, resubmit};
use crate::{
    paths,
    request::{EarlyReturn, PageRequest, PageResult},
};
use leptos::prelude::*;
use ownchat_domain::failure::Failure;
use std::future::Future;

/// Renders the view of a page, after `work` has completed. An [`EarlyReturn`] becomes a redirect or
/// an error page.
///
/// Without a session, a `GET` redirects to sign-in, and a `POST` keeps its form to send again. A
/// `POST` also keeps its form if its outcome is unknown ([`Failure::Unavailable`]).
pub fn page<W, F>(work: W) -> impl IntoView
where
    W: FnOnce(PageRequest) -> F,
    F: Future<Output = PageResult> + Send + 'static,
{
    let request = PageRequest::current();
    let future = work(request.clone());
    let shown = async move {
        match future.await {
            Ok(view) => view,
            Err(EarlyReturn::Redirect(path)) => {
                request.redirect(&path);
                ().into_any()
            }
            Err(EarlyReturn::Failure(Failure::NotSignedIn)) => {
                if let Some(posted) = request.posted() {
                    return resubmit::after_session(&request, posted);
                }
                request.redirect(&paths::sign_in_then(request.uri()));
                ().into_any()
            }
            Err(EarlyReturn::Failure(Failure::Unavailable)) if request.posted().is_some() => {
                request.posted().map(|posted| resubmit::after_lost_response(&request, posted)).into_any()
            }
            Err(EarlyReturn::Failure(failure)) => problem::shown(&request, &failure),
        }
    };
    view! { <Suspense>{Suspend::new(shown)}</Suspense> }
}
