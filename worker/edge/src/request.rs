//! The request: the parts of it that the edge reads, in the text format that `entry.mjs` writes.

use ownchat_domain::{
    credential::{self, Credential},
    token::KEYS_BEGIN,
};
use percent_encoding::percent_decode_str;
use std::net::IpAddr;

/// The parts of a request that the edge reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Its id: 32 random hexadecimal digits.
    pub id: &'a str,
    /// Its method, as the client sent it.
    pub method: &'a str,
    /// Its path and query, as the platform writes them.
    pub target: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `X-API-Key`.
    pub api_key: Option<&'a str>,
    /// The client's IP address. The platform sets its header and overwrites the one that a client
    /// sends.
    pub client_ip: Option<IpAddr>,
    /// Its body, which is read for `/v1/verify` alone.
    pub body: Body<'a>,
}

/// The body of a request, or the reason why it was not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body<'a> {
    /// The text of the body.
    Text(&'a str),
    /// The headers declare no JSON, or a compressed body.
    MediaType,
    /// The body is not UTF-8, or contains U+FFFD.
    Encoding,
    /// The body exceeds the maximum size.
    #[default]
    TooLarge,
}

impl<'a> Body<'a> {
    /// Parses the format of the entry: the text after `=`, or a letter.
    fn parse(text: &'a str) -> Self {
        match text.as_bytes().first() {
            Some(b'=') => Self::Text(text.get(1..).unwrap_or_default()),
            Some(b'm') => Self::MediaType,
            Some(b'u') => Self::Encoding,
            _ => Self::TooLarge,
        }
    }
}

impl<'a> Request<'a> {
    /// Parses the text of the entry: id, method, target, three headers and the body. All but the
    /// last end with a line feed, which none of them can hold. A header or body that is present
    /// begins with `=`. The table in `protocol.rs` has the order.
    pub fn parse(text: &'a str) -> Self {
        let mut parts = text.splitn(7, '\n');
        let mut next = || parts.next().unwrap_or_default();
        let (id, method, target) = (next(), next(), next());
        let mut optional = || next().strip_prefix('=');
        let (authorization, api_key, client_ip) = (optional(), optional(), optional());
        let body = Body::parse(next());
        let client_ip = client_ip.and_then(|text| text.parse().ok());
        Self { id, method, target, authorization, api_key, client_ip, body }
    }

    /// Returns the path without the query.
    pub fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns true if path or query hold a string that looks like a key, percent-encoded or not.
    pub fn has_key_in_url(&self) -> bool {
        let url = percent_decode_str(self.target).decode_utf8_lossy();
        KEYS_BEGIN.iter().any(|brand| url.contains(brand))
    }

    /// Returns the credential of its headers.
    pub fn credential(&self) -> Credential<'a> {
        credential::read(self.authorization, self.api_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_parsed_from_one_text() {
        let request = Request::parse("0af\nPOST\n/v1/verify?x\n=Bearer k\n\n=192.0.2.1\n={\n}");
        assert_eq!(
            (request.id, request.method, request.target, request.path()),
            ("0af", "POST", "/v1/verify?x", "/v1/verify")
        );
        assert_eq!(
            (request.authorization, request.api_key, request.body),
            (Some("Bearer k"), None, Body::Text("{\n}"))
        );
        assert_eq!(request.client_ip, Some("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn empty_is_not_absent() {
        let request = Request::parse("0af\nGET\n/\n=\n=\n=\n=");
        assert_eq!(
            (request.authorization, request.api_key, request.client_ip, request.body),
            (Some(""), Some(""), None, Body::Text(""))
        );
        let request = Request::parse("0af\nGET\n/\n\n\n\n");
        assert_eq!(
            (request.authorization, request.api_key, request.client_ip, request.body),
            (None, None, None, Body::TooLarge)
        );
    }

    #[test]
    fn unread_body_has_a_reason() {
        for (letter, body) in
            [("m", Body::MediaType), ("u", Body::Encoding), ("", Body::TooLarge), ("=m", Body::Text("m"))]
        {
            assert_eq!(Request::parse(&format!("0af\nPOST\n/v1/verify\n\n\n\n{letter}")).body, body, "{letter}");
        }
    }

    #[test]
    fn key_in_the_query_is_found_percent_encoded() {
        for (target, is_there) in [
            ("/v1/contacts?key=oc_live_0", true),
            ("/v1/contacts?key=%6Fc_live_0", true),
            ("/v1/contacts?a=1&%6f%63%5Flive%5f0", true),
            ("/v1/contacts?a=%ff%6Fc_test_", true),
            ("/v1/contacts?a=%256Fc_live_0", false),
            ("/v1/oc_live_0?a=1", true),
            ("/v1/contacts", false),
        ] {
            assert_eq!(Request { target, ..Request::default() }.has_key_in_url(), is_there, "{target}");
        }
    }
}
