//! A request for a page: its form, query and cookies, and the status and headers of its response.

use crate::{
    backend::{Backend, Cookies, Provided},
    components::field::Errors,
    flash::Flash,
    paths, status,
    texts::failure::after_sending,
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_params_map, use_query_map};
use ownchat_domain::{failure::Failure, locator::Locator, token};

/// The fields of a posted form, as pairs in their original order.
#[derive(Clone, Debug, Default)]
pub struct PostedForm(pub Vec<(String, String)>);

impl PostedForm {
    /// Returns the first value of a field; empty if absent.
    pub fn get(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    /// Returns all values of a field.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
    }
}

/// Reason that a page returns early, without a view.
pub enum EarlyReturn {
    /// Redirects to this URL.
    Redirect(String),
    /// A use case failed, and no form field can show the failure.
    Failure(Failure),
}

impl From<Failure> for EarlyReturn {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Result of a page.
pub type PageResult = Result<AnyView, EarlyReturn>;

/// A request for a page, with its response headers.
#[derive(Clone)]
pub struct PageRequest {
    backend: Provided,
    response: ResponseOptions,
    posted: Option<PostedForm>,
    uri: String,
    id: Option<Locator>,
    query: leptos_router::params::ParamsMap,
}

impl PageRequest {
    /// Returns the current request, from the Leptos contexts.
    pub fn current() -> Self {
        let parts = use_context::<Parts>();
        Self {
            backend: expect_context(),
            response: expect_context(),
            posted: use_context(),
            uri: parts.and_then(|parts| parts.uri.path_and_query().map(ToString::to_string)).unwrap_or_default(),
            id: use_params_map().read_untracked().get_str("id").and_then(|id| id.parse().ok()),
            query: use_query_map().read_untracked().clone(),
        }
    }

    /// Returns the use cases.
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Returns the form of a `POST`.
    pub fn posted(&self) -> Option<&PostedForm> {
        self.posted.as_ref()
    }

    /// Returns the first value of a query parameter; empty if absent.
    pub fn query(&self, name: &str) -> String {
        self.query.get(name).unwrap_or_default()
    }

    /// Returns the key id in the URL.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::NotFound`] if there is no valid id.
    pub fn key_id(&self) -> Result<Locator, EarlyReturn> {
        self.id.ok_or(EarlyReturn::Failure(Failure::NotFound))
    }

    /// Returns path and query of the URL.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Sets the status of the response.
    pub fn status(&self, status: StatusCode) {
        self.response.set_status(status);
    }

    /// Sets the status of the response to a form that failed. Returns the errors of its fields, or
    /// the error of the form as a whole.
    pub fn fail_form(&self, failure: Failure) -> (Errors, Option<String>) {
        self.status(status::of(&failure));
        match failure {
            Failure::Invalid { errors } => (errors, None),
            other => (Errors::new(), Some(after_sending(&other))),
        }
    }

    /// Sets the status of the response and its `Retry-After` header, in seconds.
    pub fn try_later(&self, status: StatusCode, retry_after: u32) {
        self.response.set_status(status);
        self.response.insert_header(header::RETRY_AFTER, HeaderValue::from(retry_after));
    }

    /// Adds `Set-Cookie` headers to the response.
    pub fn set_cookies(&self, cookies: &Cookies) {
        for value in cookies.0.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
            self.response.append_header(header::SET_COOKIE, value);
        }
    }

    /// Sets the probe cookie. The next form then proves that the browser stores our cookies.
    pub fn probe_cookies(&self) {
        self.set_cookies(&self.backend.probe());
    }

    /// Returns the validated URL to return to, from the query.
    pub fn back(&self) -> String {
        paths::back(&self.query("back")).to_owned()
    }

    /// Takes the flash message of the request. The response deletes its cookie.
    pub fn take_flash(&self) -> Option<Flash> {
        let flash = self.backend.flash()?;
        self.set_cookies(&self.backend.carry(None));
        Some(flash)
    }

    /// Sets a flash message, and redirects to the URL to return to, at the key's row.
    pub fn done(&self, flash: Flash) -> EarlyReturn {
        self.set_cookies(&self.backend.carry(Some(&flash)));
        EarlyReturn::Redirect(paths::at_row(&self.back(), flash.id))
    }

    /// Redirects to `path`.
    pub fn redirect(&self, path: &str) {
        // A form can name the URL. No whole key may appear in one.
        if let Ok(value) = HeaderValue::from_str(&token::with_ids(path)) {
            self.response.insert_header(header::LOCATION, value);
            // 303 turns a `POST` into a `GET` (RFC 9110, section 15.4.4).
            self.response.set_status(StatusCode::SEE_OTHER);
        }
    }
}
