//! Retires an older master secret from `MASTER_KEYS`.
//! The list comes from the environment: other users of the machine can read command lines.

use ownchat_domain::keyring::{RetireError, Use};
use std::env;

/// An error in retiring a master secret.
#[derive(Debug, thiserror::Error)]
pub enum MasterSecretError {
    /// `MASTER_KEYS` is not set.
    #[error("set MASTER_KEYS in the environment to the list as it is now")]
    NoList,
    /// The id is not a number below 65,536.
    #[error("an id of a master secret is a number below 65,536")]
    Id,
    /// The list of uses to keep is invalid.
    #[error("what can be kept of a master secret is locator, pepper, or both as locator,pepper")]
    Kept,
    /// The list does not allow it.
    #[error(transparent)]
    Retire(#[from] RetireError),
}

/// Returns the list without the secret, except for the uses to keep.
pub fn retire(id: &str, kept: &str) -> Result<String, MasterSecretError> {
    let list = env::var("MASTER_KEYS").map_err(|_| MasterSecretError::NoList)?;
    let id = id.parse().map_err(|_| MasterSecretError::Id)?;
    let words = kept.split(',').map(str::trim).filter(|word| !word.is_empty());
    let kept = words.map(Use::parse).collect::<Option<Vec<_>>>().ok_or(MasterSecretError::Kept)?;
    Ok(format!("{}\n", ownchat_domain::keyring::retire(&list, id, &kept)?))
}
