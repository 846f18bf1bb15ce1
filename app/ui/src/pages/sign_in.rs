//! Signing in.

use super::problem;
use crate::{
    components::field::{ErrorSummary, TextField},
    layout::Plain,
    paths,
    visit::{Posted, Stop, page},
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{account::SignInRequest, failure::Failure};

/// The page.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let Some(posted) = visit.posted().cloned() else {
            // Whoever is signed in already has nothing to do here.
            if visit.backend().identity().await.is_ok() {
                return Err(Stop::Redirect(paths::HOME.to_owned()));
            }
            return Ok(form(Posted(vec![("next".to_owned(), visit.query("next"))]), None));
        };
        let request = SignInRequest { email: posted.get("email"), password: posted.get("password").into() };
        let why = match visit.backend().sign_in(request).await {
            Ok(cookie) => {
                visit.set_cookie(&cookie);
                let next = posted.get("next");
                return Err(Stop::Redirect(if paths::is_local(&next) { next } else { paths::HOME.to_owned() }));
            }
            Err(Failure::WrongCredentials | Failure::Invalid { .. }) => {
                visit.status(StatusCode::UNPROCESSABLE_ENTITY);
                "E-mail and password do not belong together.".to_owned()
            }
            Err(Failure::TooMany { retry_after }) => {
                visit.status(StatusCode::TOO_MANY_REQUESTS);
                format!("There were too many attempts. Try again in {retry_after} seconds.")
            }
            Err(other) => {
                visit.status(problem::status(&other));
                "Something did not answer, so you are not signed in. Try again in a moment.".to_owned()
            }
        };
        Ok(form(posted, Some(why)))
    })
}

fn form(posted: Posted, why: Option<String>) -> AnyView {
    let nothing = Signal::stored(None::<String>);
    view! {
        <Plain title="Sign in">
            <form method="post" action=paths::SIGN_IN class="form card" novalidate>
                <ErrorSummary errors=Signal::stored(Vec::new()) whole=Signal::stored(why)/>
                <input type="hidden" name="next" value=posted.get("next")/>
                <TextField name="email" label="E-mail" kind="email" value=posted.get("email") error=nothing
                    autocomplete="username" autofocus=true/>
                <TextField name="password" label="Password" kind="password" value="" error=nothing
                    autocomplete="current-password"/>
                <p class="actions"><button class="button button-main" type="submit">"Sign in"</button></p>
            </form>
        </Plain>
    }
    .into_any()
}
