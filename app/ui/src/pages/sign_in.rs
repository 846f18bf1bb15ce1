//! Sign-in.

use super::render::page;
use crate::{
    components::field::{ErrorSummary, Errors, TextField, error_of},
    layout::Plain,
    paths,
    request::{EarlyReturn, PostedForm},
    status,
    texts::{
        common::{EMAIL, LOST_COOKIES, PASSWORD, SIGN_IN},
        sign_in as text,
    },
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{
    account::SignInRequest,
    failure::{Failure, FieldError},
};

/// Renders the form, or signs in.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let Some(posted) = request.posted().cloned() else {
            // A signed-in visitor needs no form.
            if request.backend().identity().await.is_ok() {
                return Err(EarlyReturn::Redirect(paths::HOME.to_owned()));
            }
            if request.backend().check_setup(String::new()).await == Err(Failure::Forbidden) {
                return Ok(not_set_up());
            }
            let from_query = ["next", "device"].map(|name| (name.to_owned(), request.query(name)));
            request.probe_cookies();
            return Ok(form(PostedForm(from_query.into()), Vec::new(), None));
        };
        if request.backend().loses_cookies() {
            // Probe again: the earlier probe cookie may merely have expired.
            request.probe_cookies();
            request.status(StatusCode::UNPROCESSABLE_ENTITY);
            return Ok(form(posted, Vec::new(), Some(LOST_COOKIES.to_owned())));
        }
        let missing = missing(&posted);
        if !missing.is_empty() {
            request.status(StatusCode::UNPROCESSABLE_ENTITY);
            return Ok(form(posted, missing, None));
        }
        let credentials = SignInRequest {
            email: posted.get("email"),
            password: posted.get("password").into(),
            device: Some(posted.get("device")).filter(|device| !device.is_empty()),
        };
        let why = match request.backend().sign_in(credentials).await {
            Ok(cookies) => {
                request.set_cookies(&cookies);
                let next = posted.get("next");
                return Err(EarlyReturn::Redirect(if paths::is_local(&next) { next } else { paths::HOME.to_owned() }));
            }
            Err(Failure::WrongCredentials | Failure::Invalid { .. }) => {
                request.status(StatusCode::UNPROCESSABLE_ENTITY);
                text::WRONG.to_owned()
            }
            Err(Failure::TooMany { retry_after }) => {
                request.try_later(StatusCode::TOO_MANY_REQUESTS, retry_after);
                text::too_many(retry_after)
            }
            Err(Failure::Busy { retry_after }) => {
                request.try_later(StatusCode::SERVICE_UNAVAILABLE, retry_after);
                text::BUSY.to_owned()
            }
            Err(other) => {
                request.status(status::of(&other));
                text::FAILED.to_owned()
            }
        };
        Ok(form(posted, Vec::new(), Some(why)))
    })
}

/// Renders the page before the set-up, while no account exists.
fn not_set_up() -> AnyView {
    view! {
        <Plain title=text::NOT_SET_UP>
            <p>{text::NOT_SET_UP_TEXT}</p>
        </Plain>
    }
    .into_any()
}

/// Returns an error for each empty field.
fn missing(posted: &PostedForm) -> Errors {
    let fields = [("email", text::NO_EMAIL), ("password", text::NO_PASSWORD)];
    let is_empty = |(field, _): &(&str, &str)| posted.get(field).trim().is_empty();
    fields.into_iter().filter(is_empty).map(|(field, message)| FieldError::new(field, message)).collect()
}

fn form(posted: PostedForm, errors: Errors, whole: Option<String>) -> AnyView {
    let error = |field: &str| Signal::stored(error_of(&errors, field));
    let (email_error, password_error) = (error("email"), error("password"));
    // The form keeps the typed email. Unless it is invalid, only the password is missing.
    let begins_at_password = email_error.get_untracked().is_none() && !posted.get("email").trim().is_empty();
    view! {
        <Plain title=SIGN_IN>
            <form method="post" action=paths::SIGN_IN class="form card" novalidate>
                <ErrorSummary errors=Signal::stored(errors) whole=Signal::stored(whole)/>
                <input type="hidden" name="next" value=posted.get("next")/>
                <input type="hidden" name="device" value=posted.get("device")/>
                <TextField name="email" label=EMAIL kind="email" value=posted.get("email") error=email_error
                    autocomplete="username" autofocus=!begins_at_password/>
                <TextField name="password" label=PASSWORD kind="password" value="" error=password_error
                    autocomplete="current-password" autofocus=begins_at_password/>
                <p class="actions"><button class="button button-main" type="submit">{SIGN_IN}</button></p>
            </form>
        </Plain>
    }
    .into_any()
}
