//! A call as it came in: the few texts of it that decide.

use crate::credential::{self, Credential};
use std::net::IpAddr;
use worker::{Request, Result};

/// What is looked at of a call.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Its method, as it was sent.
    pub method: String,
    /// Its path, without a query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `X-API-Key`.
    pub api_key: Option<String>,
    /// The caller's address. The platform sets its header and overwrites what a caller sends.
    pub address: Option<IpAddr>,
    /// The body where it decides, which is at `/v1/verify` alone; nothing if it is larger than a body may be.
    pub body: Option<String>,
}

/// The header in which the platform tells the caller's address.
pub const ADDRESS: &str = "cf-connecting-ip";

impl Incoming {
    /// Looks at a call. Its body has been read by now.
    pub fn of(request: &Request, body: Option<String>) -> Result<Self> {
        let [authorization, api_key] = credential::HEADERS;
        let headers = request.headers();
        Ok(Self {
            // `Request::method` takes methods that it does not know for GET.
            method: request.inner().method(),
            path: path_of(&request.inner().url()).to_owned(),
            authorization: headers.get(authorization)?,
            api_key: headers.get(api_key)?,
            address: headers.get(ADDRESS)?.and_then(|text| text.parse().ok()),
            body,
        })
    }

    /// The key that it carries.
    pub fn credential(&self) -> Credential {
        credential::read(self.authorization.as_deref(), self.api_key.as_deref())
    }
}

/// Path and query of a URL as the platform writes it: absolute, and percent-encoded.
pub fn target_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').and_then(|begin| after_scheme.get(begin..)).unwrap_or("/")
}

/// The path of a URL as the platform writes it.
pub fn path_of(url: &str) -> &str {
    let target = target_of(url);
    target.split(['?', '#']).next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_path_and_a_query() {
        for (url, target, path) in [
            ("https://api.example/v1/contacts?q=a/b", "/v1/contacts?q=a/b", "/v1/contacts"),
            ("http://127.0.0.1:8788/v1/key", "/v1/key", "/v1/key"),
            ("http://127.0.0.1:8788/", "/", "/"),
            ("http://h?x=/y", "/y", "/y"),
            ("http://h", "/", "/"),
        ] {
            assert_eq!((target_of(url), path_of(url)), (target, path), "{url}");
        }
    }
}
