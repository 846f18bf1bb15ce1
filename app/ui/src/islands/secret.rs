//! Generates secrets in the browser. The server receives only the hash.

use crate::actions::KeySummary;
use ownchat_domain::{digest::SecretHash, token::Secret, token::Token};
use zeroize::Zeroizing;

/// Generates a secret and its hash. `None` if the browser has no random generator.
pub fn generate() -> Option<(Secret, SecretHash)> {
    let secret = Secret::generate(getrandom::fill).ok()?;
    let hash = SecretHash::of(&secret);
    Some((secret, hash))
}

/// Generates an idempotency key for a form. `None` if the browser has no random generator.
pub fn name() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Assembles the whole key from its public part and its secret.
pub fn assemble(key: &KeySummary, secret: Secret) -> Zeroizing<String> {
    Token { environment: key.environment, locator: key.id, secret }.reveal()
}
