//! Retires an older master secret in `MASTER_KEYS`, which comes from the environment and is never a word of the
//! command: others can see those.

use ownchat_domain::keyring::{RetireError, Use};
use std::env;

/// Why nothing was retired.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is nothing to read.
    #[error("set MASTER_KEYS in the environment to the list as it is now")]
    NoList,
    /// The id is no number.
    #[error("an id of a master secret is a number below 65,536")]
    Id,
    /// Something is to be kept that cannot be.
    #[error("what can be kept of a master secret is locator, pepper, or both as locator,pepper")]
    Kept,
    /// The list does not allow it.
    #[error(transparent)]
    Retire(#[from] RetireError),
}

/// The list without the secret, but for what is kept of it.
pub fn retire(id: &str, kept: &str) -> Result<String, Refusal> {
    let list = env::var("MASTER_KEYS").map_err(|_| Refusal::NoList)?;
    let id = id.parse().map_err(|_| Refusal::Id)?;
    let words = kept.split(',').map(str::trim).filter(|word| !word.is_empty());
    let kept = words.map(Use::parse).collect::<Option<Vec<_>>>().ok_or(Refusal::Kept)?;
    Ok(format!("{}\n", ownchat_domain::keyring::retire(&list, id, &kept)?))
}
