//! Who sent a request: from which address, under which id, with which session.

use axum::{body::Body, http::Request, http::header::COOKIE};
use ownchat_domain::account::SessionToken;
use worker::{Env, Error, Result};

/// The header in which the platform names the caller's address. The platform sets and overwrites it.
const ADDRESS: &str = "cf-connecting-ip";

/// Name of the session's cookie. The prefix binds it to this host, to `/` and to HTTPS (RFC 6265bis).
pub const SESSION_COOKIE: &str = "__Host-ownchat-session";

/// What is known of the sender of a request, and the bindings to serve it with.
#[derive(Clone)]
pub struct Visitor {
    /// The bindings.
    pub env: Env,
    /// The network address.
    pub address: String,
    /// Id of the request: 32 hexadecimal digits.
    pub request_id: String,
    /// The session that the request claims.
    pub session: Option<SessionToken>,
}

/// Puts a [`Visitor`] into the request.
pub fn introduce(request: &mut Request<Body>, env: Env) -> Result<()> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let visitor = Visitor {
        address: text(ADDRESS),
        request_id: format!("{:032x}", u128::from_be_bytes(random()?)),
        session: cookies.flat_map(|line| line.split(';')).find_map(session),
        env,
    };
    request.extensions_mut().insert(visitor);
    Ok(())
}

fn session(pair: &str) -> Option<SessionToken> {
    let (name, value) = pair.trim().split_once('=')?;
    (name == SESSION_COOKIE).then(|| SessionToken::parse(value))?
}

/// Random bytes from the platform's cryptographic generator.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::RustError(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::session;

    #[test]
    fn only_the_cookie_of_that_name_is_a_session() {
        let value = "00000000000000ab.AAECAwQFBgcICQoLDA0ODw";
        assert!(session(&format!(" __Host-ownchat-session={value}")).is_some());
        for pair in [format!("ownchat-session={value}"), "__Host-ownchat-session=x".into(), "x".into(), String::new()] {
            assert!(session(&pair).is_none(), "{pair}");
        }
    }
}
