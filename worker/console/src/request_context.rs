//! The context of a request: bindings, client IP address, request id, and session or key.

use crate::{log, paths::within_api};
use axum::{
    body::Body,
    http::{HeaderMap, Request, Uri, header::COOKIE},
};
use ownchat_domain::{
    account::SessionToken,
    credential,
    digest::SecretHash,
    failure::Failure,
    keyring::{CookieKeys, Locators},
    locator::KeyNumber,
    network::CLIENT_IP_HEADER,
    time::Timestamp,
    token::Token,
    vault::KeyCaller,
    verdict::Denial,
};
use std::{net::IpAddr, sync::Arc};
use worker::{Context, Date, Env, Error, Result};
use zeroize::Zeroizing;

/// Name of the session cookie. The prefix binds it to this host, to `/` and to HTTPS (RFC 6265bis).
pub const SESSION_COOKIE: &str = "__Host-ownchat-session";

/// Name of the cookie of a device that has signed in before.
pub const DEVICE_COOKIE: &str = "__Host-ownchat-device";

/// Name of the cookie with the flash message for the next page.
pub const FLASH_COOKIE: &str = "__Host-ownchat-flash";

/// Name of the probe cookie, which proves that the browser stores cookies for this host.
pub const PROBE_COOKIE: &str = "__Host-ownchat-probe";

/// The context of a request: its sender, and the bindings to serve it with.
#[derive(Clone)]
pub struct RequestContext {
    /// The bindings.
    pub env: Env,
    /// The platform's context, for deferred tasks: they run after the response.
    pub platform: Arc<Context>,
    /// The client's IP address.
    pub address: String,
    /// Id of the request: 32 hexadecimal digits.
    pub request_id: String,
    /// The credential of the request.
    pub credential: Arc<RequestCredential>,
    /// The device cookie, not yet verified; empty if absent.
    pub device: String,
    /// The flash cookie, not yet verified; empty if absent.
    pub flash: String,
    /// True for plain HTTP to a host for which browsers store no secure cookies.
    pub is_insecure: bool,
    /// True if the request contains our session, device or probe cookie.
    pub has_cookies: bool,
}

/// The credential of a request.
pub enum RequestCredential {
    /// No credential.
    None,
    /// A signed session token. Its session may have ended.
    Session(SessionToken),
    /// A key with our format and a valid tag. It may be revoked.
    Key(SentKey),
    /// Not a key of ours, with the denial to return. No object is called.
    Refused(Denial),
    /// More than one key.
    Ambiguous,
}

/// A key in a request.
pub struct SentKey {
    /// The part that the registry receives.
    pub caller: KeyCaller,
    /// Number of the workspace that owns the key.
    pub workspace: u32,
}

impl RequestContext {
    /// Returns true if the request contains a key, or something in its place. Cookies then do not
    /// count.
    pub fn has_key(&self) -> bool {
        matches!(
            *self.credential,
            RequestCredential::Key(_) | RequestCredential::Refused(_) | RequestCredential::Ambiguous
        )
    }

    /// Returns a variable of the deployment; empty if absent.
    pub fn variable(&self, name: &str) -> String {
        self.env.var(name).map(|value| value.to_string()).unwrap_or_default()
    }

    /// Returns the keys that sign cookies.
    pub fn cookie_keys(&self) -> core::result::Result<CookieKeys, Failure> {
        cookie_keys(&self.env).map_err(|error| {
            log::error(&self.request_id, &format!("request context: {error}"));
            Failure::Unavailable
        })
    }
}

/// Adds a [`RequestContext`] to the request's extensions.
pub fn attach(request: &mut Request<Body>, env: Env, platform: Context) -> Result<()> {
    let request_id = format!("{:032x}", u128::from_be_bytes(random()?));
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let address = text(CLIENT_IP_HEADER);
    let session = || cookie(headers, SESSION_COOKIE).and_then(|value| read_session(&value, &env, &request_id));
    let device = cookie(headers, DEVICE_COOKIE).unwrap_or_default();
    let flash = cookie(headers, FLASH_COOKIE).unwrap_or_default();
    let credential = match header_credential(request.uri().path(), headers) {
        HeaderCredential::None => session().map_or(RequestCredential::None, RequestCredential::Session),
        HeaderCredential::Refused(denial) => {
            session().map_or(RequestCredential::Refused(denial), RequestCredential::Session)
        }
        HeaderCredential::One(key) => read_key(&key, &address, &env, &request_id),
        HeaderCredential::Ambiguous => RequestCredential::Ambiguous,
    };
    let (platform, credential) = (Arc::new(platform), Arc::new(credential));
    let ours = [SESSION_COOKIE, DEVICE_COOKIE, PROBE_COOKIE];
    let has_cookies = ours.iter().any(|name| cookie(headers, name).is_some());
    let is_insecure = is_insecure(request.uri());
    let context =
        RequestContext { env, platform, address, request_id, credential, device, flash, is_insecure, has_cookies };
    request.extensions_mut().insert(context);
    Ok(())
}

/// Returns true for plain HTTP to a host other than this machine. Browsers refuse secure cookies
/// there (Secure Contexts, section 3.1).
fn is_insecure(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_local = host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    uri.scheme_str() == Some("http") && !is_local
}

/// The content of the credential headers.
#[derive(Debug, PartialEq, Eq)]
enum HeaderCredential {
    None,
    Refused(Denial),
    One(Zeroizing<String>),
    Ambiguous,
}

/// Returns the key of a request to a URL that accepts keys: the management API, except set-up and
/// sessions.
fn header_credential(path: &str, headers: &HeaderMap) -> HeaderCredential {
    match within_api(path) {
        None | Some("/setup" | "/session") => return HeaderCredential::None,
        Some(_) => {}
    }
    // Repeated headers are joined with a comma, as the platform does.
    let [authorization, api_key] = credential::HEADERS.map(|name| {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (!values.is_empty()).then(|| Zeroizing::new(values.join(",")))
    });
    match credential::read(
        authorization.as_ref().map(|value| value.as_str()),
        api_key.as_ref().map(|value| value.as_str()),
    ) {
        credential::Credential::None => HeaderCredential::None,
        credential::Credential::Refused(denial) => HeaderCredential::Refused(denial),
        credential::Credential::One(key) => HeaderCredential::One(Zeroizing::new(key.to_owned())),
        credential::Credential::Ambiguous => HeaderCredential::Ambiguous,
    }
}

/// Reads a key with the master secrets of the deployment.
fn read_key(key: &str, address: &str, env: &Env, request_id: &str) -> RequestCredential {
    match keys(env) {
        Ok(keys) => verify_tag(key, address, &keys),
        Err(error) => {
            log::error(request_id, &format!("request context: {error}"));
            RequestCredential::Refused(Denial::Unavailable)
        }
    }
}

/// Parses a key, and proves from its tag that we issued it. A forged key costs no call to an
/// object.
fn verify_tag(key: &str, address: &str, keys: &Locators) -> RequestCredential {
    let token = match Token::parse(key) {
        Ok(token) => token,
        Err(error) => return RequestCredential::Refused(Denial::Malformed(error)),
    };
    match token.locator.open_by_tag(keys, token.environment) {
        Some(KeyNumber { workspace, .. }) => {
            let secret = SecretHash::of(&token.secret);
            let caller = KeyCaller { id: token.locator, secret, address: address.parse().ok() };
            RequestCredential::Key(SentKey { caller, workspace })
        }
        None => RequestCredential::Refused(Denial::Forged),
    }
}

fn keys(env: &Env) -> Result<Locators> {
    Locators::parse(&env.secret("MASTER_KEYS")?.to_string()).map_err(|error| Error::RustError(error.to_string()))
}

fn cookie_keys(env: &Env) -> Result<CookieKeys> {
    CookieKeys::parse(&env.secret("MASTER_KEYS")?.to_string()).map_err(|error| Error::RustError(error.to_string()))
}

/// Reads a session token that we have signed. A forged one costs no call to an object.
fn read_session(value: &str, env: &Env, request_id: &str) -> Option<SessionToken> {
    match cookie_keys(env) {
        Ok(keys) => SessionToken::open(value, &keys),
        Err(error) => {
            log::error(request_id, &format!("request context: {error}"));
            None
        }
    }
}

/// Returns the value of a cookie, despite malformed others: other programs on this host may set
/// any.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(COOKIE).iter().find_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes());
        let mut pairs = line.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(other, _)| *other == name).map(|(_, value)| value.to_owned())
    })
}

/// Returns the platform's time. The clock advances only while a request awaits.
pub fn now() -> Timestamp {
    Timestamp::from_millis(i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// Returns random bytes from the platform's cryptographic generator.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::RustError(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ownchat_domain::{environment::Environment, keyring::Keyring, locator::Locator, token::Secret};

    #[test]
    fn a_cookie_is_found_whatever_others_there_are() {
        let own = "__Host-ownchat-session=s.e=t";
        for lines in [
            &[own][..],
            &["x=\u{fc}", own],
            &[own, "x=y"],
            &["x=\u{fc};  __Host-ownchat-session=s.e=t; y"],
            &["; ;=", own],
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.as_bytes().try_into().unwrap());
            }
            assert_eq!(cookie(&headers, SESSION_COOKIE).as_deref(), Some("s.e=t"), "{lines:?}");
            assert_eq!(cookie(&headers, "ownchat-session"), None, "{lines:?}");
        }
    }

    #[test]
    fn secure_cookies_need_https_or_this_machine() {
        for (uri, expected) in [
            ("http://keys.example/sign-in", true),
            ("http://192.168.1.7:8787/sign-in", true),
            ("http://localhost.example/", true),
            ("https://keys.example/sign-in", false),
            ("http://localhost:8787/", false),
            ("http://keys.localhost:8787/", false),
            ("http://127.0.0.1:8787/", false),
            ("http://[::1]:8787/", false),
        ] {
            assert_eq!(is_insecure(&uri.parse().unwrap()), expected, "{uri}");
        }
    }

    #[test]
    fn keys_are_read_where_they_count_and_nowhere_else() {
        let one = HeaderCredential::One(Zeroizing::new("k".into()));
        for (path, sent, expected) in [
            ("/api/v1/keys", &[("authorization", "Bearer k")][..], &one),
            ("/api/v1/keys/x/rotate", &[("x-api-key", "k")], &one),
            ("/api/v1/audit", &[("authorization", "Basic dTpw")], &HeaderCredential::Refused(Denial::OtherScheme)),
            ("/api/v1/keys", &[("authorization", "Bearer k"), ("x-api-key", "k")], &HeaderCredential::Ambiguous),
            ("/api/v1/keys", &[("x-api-key", "k"), ("x-api-key", "k")], &HeaderCredential::Ambiguous),
            ("/api/v1/keys", &[], &HeaderCredential::None),
            ("/api/v1/session", &[("x-api-key", "k")], &HeaderCredential::None),
            ("/api/v1/setup", &[("x-api-key", "k")], &HeaderCredential::None),
            ("/settings/keys", &[("authorization", "Bearer k")], &HeaderCredential::None),
            ("/actions/create-key", &[("authorization", "Bearer k")], &HeaderCredential::None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.append(*name, value.parse().unwrap());
            }
            assert_eq!(&header_credential(path, &headers), expected, "{path} {sent:?}");
        }
    }

    #[test]
    fn only_a_key_with_our_tag_names_a_workspace() {
        let list = |byte: char| format!("1:{}=", byte.to_string().repeat(43));
        let keys = Locators::parse(&list('A')).unwrap();
        let [ours, theirs] = ['A', 'E'].map(|byte| Keyring::parse(&list(byte)).unwrap());
        let secret: Secret = "0123456789ABCDEFGHIJKLMN".parse().unwrap();
        let environment = Environment::Live;
        let key = |ring: &Keyring| {
            let locator = Locator::issue(ring, KeyNumber { workspace: 7, number: 1 }, environment);
            Token { environment, locator, secret: secret.clone() }.reveal()
        };
        let RequestCredential::Key(sent) = verify_tag(&key(&ours), "192.0.2.1", &keys) else { unreachable!() };
        assert_eq!((sent.workspace, sent.caller.address), (7, "192.0.2.1".parse().ok()));
        assert_eq!(sent.caller.secret, SecretHash::of(&secret));
        assert!(matches!(verify_tag(&key(&theirs), "192.0.2.1", &keys), RequestCredential::Refused(Denial::Forged)));
        let mistyped = key(&ours).replace("0123456789", "0123456798");
        assert!(matches!(verify_tag(&mistyped, "192.0.2.1", &keys), RequestCredential::Refused(Denial::Malformed(_))));
        assert!(matches!(verify_tag("x", "192.0.2.1", &keys), RequestCredential::Refused(Denial::Malformed(_))));
    }
}
