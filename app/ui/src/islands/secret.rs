//! Secrets made in the browser: the server only ever sees the hash.

use crate::actions::Made;
use ownchat_domain::{digest::SecretHash, token::Secret, token::Token};
use zeroize::Zeroizing;

/// A new secret and its hash; nothing if the browser has no random generator.
pub fn generate() -> Option<(Secret, SecretHash)> {
    let secret = Secret::generate(getrandom::fill).ok()?;
    let hash = SecretHash::of(&secret);
    Some((secret, hash))
}

/// A new name for a form; nothing if the browser has no random generator.
pub fn name() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// The whole key, from its public part and the secret.
pub fn assemble(key: &Made, secret: Secret) -> Zeroizing<String> {
    Token { environment: key.environment, locator: key.id, secret }.reveal()
}
