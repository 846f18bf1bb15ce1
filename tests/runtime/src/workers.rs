//! The product's own Workers, with the bindings of a deployment.

use crate::worker::{BindingTarget, Module, Worker};
use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

/// Content type of the body of `POST /v1/verify`.
pub const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Master secrets of a test deployment.
pub const MASTER_KEYS: &str = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// The key that signs its principals.
pub const PRINCIPAL_KEY: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";
/// Header of a service that may verify keys of every workspace there.
pub const SERVICE: (&str, &str) = ("Authorization", "Bearer service-token-of-the-tests");
/// Name of that service, and the SHA-256 of its token.
pub const SERVICE_TOKENS: &str = "tests:91a4c618307b98914d721d28c81fd12619de278e69e9b41f54fe26b167a032ce";

/// Token that authorises the set-up.
pub const SETUP_TOKEN: &str = "set-up-token-of-the-tests";

/// Durable Object namespaces of the vault: binding and class.
const OBJECTS: &[(&str, &str)] = &[
    ("FEED", "Feed"),
    ("INSTANCE", "Instance"),
    ("METER", "Meter"),
    ("PERSON", "Person"),
    ("REGISTRY", "Registry"),
    ("USAGE", "Usage"),
];

/// Script of the empty KV namespace.
const EMPTY: &str =
    "export default { fetch: (request) => new Response(null, { status: request.method === 'GET' ? 404 : 200 }) };";

/// A KV namespace that stores nothing and accepts every write.
pub fn no_kv(name: &str) -> Worker {
    Worker::new(name).module("kv.mjs", Module::Script(EMPTY.into()))
}

/// An edge with this vault and this KV. Its gateway forwards to `upstream`.
pub fn edge(vault: BindingTarget, kv: BindingTarget, upstream: Option<SocketAddr>) -> Worker {
    let upstream = upstream.map_or_else(|| "http://upstream.invalid".to_owned(), |address| format!("http://{address}"));
    Worker::built("edge")
        .service("VAULT", vault)
        .kv("KEYS", kv)
        .text("MASTER_KEYS", MASTER_KEYS)
        .text("PRINCIPAL_KEY", PRINCIPAL_KEY)
        .text("SERVICE_TOKENS", SERVICE_TOKENS)
        .text("UPSTREAM_URL", &upstream)
        .text("CONSOLE_URL", "https://console.example")
}

/// A vault that writes into this KV. It offers its set-up from now on.
pub fn vault(kv: BindingTarget) -> Worker {
    #[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
    let started_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let vault = Worker::built("vault")
        .kv("KEYS", kv)
        .text("MASTER_KEYS", MASTER_KEYS)
        .text("SETUP_TOKEN", SETUP_TOKEN)
        .text("STARTED_AT", &started_at.to_string());
    OBJECTS.iter().fold(vault, |vault, (binding, class)| vault.objects(binding, class))
}
