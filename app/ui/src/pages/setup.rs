//! Set-up: the one-time link creates the first owner.

use super::render::page;
use crate::{
    components::field::{ErrorSummary, Errors, TextField, error_of, first_wrong},
    islands::new_password::NewPassword,
    layout::Plain,
    paths,
    request::{EarlyReturn, PageRequest, PostedForm},
    texts::{
        common::{EMAIL, LOST_COOKIES, SIGN_IN},
        setup as text,
    },
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{account::SetupRequest, failure::Failure};

/// Renders the form, or creates the owner.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let Some(posted) = request.posted().cloned() else {
            let token = request.query("token");
            return match request.backend().check_setup(token.clone()).await {
                Ok(()) => {
                    request.probe_cookies();
                    Ok(form(PostedForm(vec![("token".to_owned(), token)]), Vec::new(), None))
                }
                Err(failure) => refused(&request, failure),
            };
        };
        // The link works once. A browser that refuses cookies cannot sign in, so it must not use up
        // the link.
        if request.backend().loses_cookies() {
            // Probe again: the earlier probe cookie may merely have expired.
            request.probe_cookies();
            request.status(StatusCode::UNPROCESSABLE_ENTITY);
            return Ok(form(posted, Vec::new(), Some(LOST_COOKIES.to_owned())));
        }
        let owner = SetupRequest {
            token: posted.get("token"),
            name: posted.get("name"),
            email: posted.get("email"),
            password: posted.get("password").into(),
            workspace: posted.get("workspace"),
        };
        match request.backend().set_up(owner).await {
            Ok(cookies) => {
                request.set_cookies(&cookies);
                Err(EarlyReturn::Redirect(paths::KEYS.to_owned()))
            }
            Err(failure @ (Failure::NotFound | Failure::Forbidden | Failure::TooMany { .. })) => {
                refused(&request, failure)
            }
            Err(other) => {
                let (errors, whole) = request.fail_form(other);
                Ok(form(posted, errors, whole))
            }
        }
    })
}

fn refused(request: &PageRequest, failure: Failure) -> Result<AnyView, EarlyReturn> {
    // Offer sign-in only after the set-up. Before it there is no account.
    let is_set_up = failure == Failure::NotFound;
    let (status, (title, sentence)) = match failure {
        Failure::NotFound => (StatusCode::NOT_FOUND, text::DONE),
        Failure::Forbidden => (StatusCode::FORBIDDEN, text::EXPIRED),
        Failure::TooMany { retry_after } => {
            request.try_later(StatusCode::TOO_MANY_REQUESTS, retry_after);
            (StatusCode::TOO_MANY_REQUESTS, text::TOO_MANY)
        }
        other => return Err(other.into()),
    };
    request.status(status);
    Ok(view! {
        <Plain title=title>
            <p>{sentence}</p>
            {is_set_up.then(|| view! { <p><a class="button" href=paths::SIGN_IN>{SIGN_IN}</a></p> })}
        </Plain>
    }
    .into_any())
}

fn form(posted: PostedForm, errors: Errors, whole: Option<String>) -> AnyView {
    let all = errors.clone();
    let password_error = error_of(&all, "password");
    let first = first_wrong(&all, &["name", "email", "password", "workspace"]);
    let begins = move |field: &str| first == Some(field);
    let error = move |field: &str| Signal::stored(error_of(&all, field));
    view! {
        <Plain title=text::TITLE>
            <p>{text::LEAD}</p>
            <form method="post" action=paths::SETUP class="form card" novalidate>
                <ErrorSummary errors=Signal::stored(errors) whole=Signal::stored(whole)/>
                <input type="hidden" name="token" value=posted.get("token")/>
                <TextField name="name" label=text::NAME value=posted.get("name") error=error("name")
                    autocomplete="name" autofocus=begins("name")/>
                <TextField name="email" label=EMAIL kind="email" value=posted.get("email") error=error("email")
                    autocomplete="username" autofocus=begins("email")/>
                <NewPassword error=password_error autofocus=begins("password")/>
                <TextField name="workspace" label=text::WORKSPACE value=posted.get("workspace") error=error("workspace")
                    autocomplete="organization" hint=text::WORKSPACE_HINT autofocus=begins("workspace")/>
                <p class="actions"><button class="button button-main" type="submit">{text::BUTTON}</button></p>
            </form>
        </Plain>
    }
    .into_any()
}
