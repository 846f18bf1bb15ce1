//! A request for a page: its form, query and cookies, and the status and headers of its response.

use crate::{
    backend::{Backend, Cookies, Provided},
    flash::Flash,
    paths,
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_params_map, use_query_map};
use ownchat_domain::{failure::Failure, locator::Locator, token};

/// The form that a `POST` brought, as pairs in the order in which they stood.
#[derive(Clone, Debug, Default)]
pub struct Posted(pub Vec<(String, String)>);

impl Posted {
    /// The first value under a name; empty if there is none.
    pub fn get(&self, name: &str) -> String {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// Said to somebody whose browser refuses our cookies.
pub const LOST_COOKIES: &str = "Your browser refused our cookie, because this page came over plain HTTP. Open it with https:// in \
                                front, or on the machine itself under http://localhost.";

/// Why a page is not shown.
pub enum Stop {
    /// The visitor is led elsewhere.
    Redirect(String),
    /// A use-case failed in a way that the page cannot show at a field.
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What a page comes to.
pub type Shown = Result<AnyView, Stop>;

/// A request for a page.
#[derive(Clone)]
pub struct PageRequest {
    backend: Provided,
    response: ResponseOptions,
    posted: Option<Posted>,
    uri: String,
    id: Option<Locator>,
    query: leptos_router::params::ParamsMap,
}

impl PageRequest {
    /// The request that is being answered, from the contexts of the renderer.
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

    /// The use-cases.
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// The form, if one was posted.
    pub fn posted(&self) -> Option<&Posted> {
        self.posted.as_ref()
    }

    /// The first value under a name in the query; empty if there is none.
    pub fn query(&self, name: &str) -> String {
        self.query.get(name).unwrap_or_default()
    }

    /// The key that the address names.
    pub fn key_id(&self) -> Result<Locator, Stop> {
        self.id.ok_or(Stop::Failure(Failure::NotFound))
    }

    /// Path and query of the page.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Answers with this status.
    pub fn status(&self, status: StatusCode) {
        self.response.set_status(status);
    }

    /// Answers with this status, and the seconds after which it is worth trying again.
    pub fn try_later(&self, status: StatusCode, retry_after: u32) {
        self.response.set_status(status);
        self.response.insert_header(header::RETRY_AFTER, HeaderValue::from(retry_after));
    }

    /// Opens or ends a session.
    pub fn set_cookies(&self, cookies: &Cookies) {
        for value in cookies.0.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
            self.response.append_header(header::SET_COOKIE, value);
        }
    }

    /// Sets a cookie by which the next form tells that the browser keeps ours.
    pub fn probe_cookies(&self) {
        self.set_cookies(&self.backend.probe());
    }

    /// The page to go back to, as the address names it.
    pub fn back(&self) -> String {
        paths::back(&self.query("back")).to_owned()
    }

    /// Takes the message that the request brings: the next page does not show it again.
    pub fn take_flash(&self) -> Option<Flash> {
        let flash = self.backend.flash()?;
        self.set_cookies(&self.backend.carry(None));
        Some(flash)
    }

    /// Goes back, at the row of the key, with a message.
    pub fn done(&self, flash: Flash) -> Stop {
        self.set_cookies(&self.backend.carry(Some(&flash)));
        Stop::Redirect(paths::at_row(&self.back(), flash.id))
    }

    /// Answers with a redirect to `path`.
    pub fn redirect(&self, path: &str) {
        // A form can name the address; no key goes into one.
        if let Ok(value) = HeaderValue::from_str(&token::with_ids(path)) {
            self.response.insert_header(header::LOCATION, value);
            // 303 turns a `POST` into a `GET` (RFC 9110, section 15.4.4).
            self.response.set_status(StatusCode::SEE_OTHER);
        }
    }
}
