//! Sign-in.

use super::render::page;
use crate::{
    components::field::{ErrorSummary, Errors, TextField, error_of},
    layout::Plain,
    paths,
    request::{EarlyReturn, PostedForm},
    status,
    texts::LOST_COOKIES,
};
use http::StatusCode;
use leptos::prelude::*;
use ownchat_domain::{
    account::SignInRequest,
    failure::{Failure, FieldError},
    text::plural_ending,
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
                "That email and password don't match.".to_owned()
            }
            Err(Failure::TooMany { retry_after }) => {
                request.try_later(StatusCode::TOO_MANY_REQUESTS, retry_after);
                format!("Too many attempts. Try again in {}.", duration(retry_after))
            }
            Err(Failure::Busy { retry_after }) => {
                request.try_later(StatusCode::SERVICE_UNAVAILABLE, retry_after);
                "Too many people sign in at once. Try again in a few seconds.".to_owned()
            }
            Err(other) => {
                request.status(status::of(&other));
                "We couldn't sign you in just now. Try again in a moment.".to_owned()
            }
        };
        Ok(form(posted, Vec::new(), Some(why)))
    })
}

/// Renders the page before the set-up, while no account exists.
fn not_set_up() -> AnyView {
    view! {
        <Plain title="Ownchat is not set up yet">
            <p>"Open the link that Ownchat printed when it started. It makes you the owner of the first workspace."</p>
        </Plain>
    }
    .into_any()
}

/// Returns an error for each empty field.
fn missing(posted: &PostedForm) -> Errors {
    let fields = [("email", "Enter your email address."), ("password", "Enter your password.")];
    let is_empty = |(field, _): &(&str, &str)| posted.get(field).trim().is_empty();
    fields.into_iter().filter(is_empty).map(|(field, message)| FieldError::new(field, message)).collect()
}

/// Formats seconds for people. Rounds up to whole minutes from two minutes on.
fn duration(seconds: u32) -> String {
    let (count, unit) = if seconds < 120 { (seconds, "second") } else { (seconds.div_ceil(60), "minute") };
    format!("{count} {unit}{}", plural_ending(count as usize))
}

fn form(posted: PostedForm, errors: Errors, whole: Option<String>) -> AnyView {
    let error = |field: &str| Signal::stored(error_of(&errors, field));
    let (email_error, password_error) = (error("email"), error("password"));
    // The form keeps the typed email. Unless it is invalid, only the password is missing.
    let begins_at_password = email_error.get_untracked().is_none() && !posted.get("email").trim().is_empty();
    view! {
        <Plain title="Sign in">
            <form method="post" action=paths::SIGN_IN class="form card" novalidate>
                <ErrorSummary errors=Signal::stored(errors) whole=Signal::stored(whole)/>
                <input type="hidden" name="next" value=posted.get("next")/>
                <input type="hidden" name="device" value=posted.get("device")/>
                <TextField name="email" label="Email" kind="email" value=posted.get("email") error=email_error
                    autocomplete="username" autofocus=!begins_at_password/>
                <TextField name="password" label="Password" kind="password" value="" error=password_error
                    autocomplete="current-password" autofocus=begins_at_password/>
                <p class="actions"><button class="button button-main" type="submit">"Sign in"</button></p>
            </form>
        </Plain>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_as_people_say_it() {
        for (seconds, words) in [
            (1, "1 second"),
            (2, "2 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (900, "15 minutes"),
        ] {
            assert_eq!(duration(seconds), words);
        }
    }
}
