//! Creates a sign-in link for a person who is rate-limited because others guess the password.
//!
//! The link marks one device as known to the account, as an earlier sign-in from it would. The
//! person still needs the password.

use ownchat_domain::{
    account::{DeviceToken, email},
    keyring::{CookieKeys, KeyringError},
};
use std::{
    env,
    fs::File,
    io::{self, Read},
};

/// An error in creating the link.
#[derive(Debug, thiserror::Error)]
pub enum SignInLinkError {
    /// `MASTER_KEYS` is not set.
    #[error("set MASTER_KEYS in the environment to the list of the deployment")]
    NoList,
    /// `MASTER_KEYS` is not a valid list.
    #[error(transparent)]
    List(#[from] KeyringError),
    /// The email address is invalid.
    #[error("{0}")]
    Email(String),
    /// No random bytes are available.
    #[error("this needs /dev/urandom: {0}")]
    Random(#[from] io::Error),
}

/// Returns the path and query of the link, below the console's origin.
pub fn let_in(address: &str) -> Result<String, SignInLinkError> {
    let keys = CookieKeys::parse(&env::var("MASTER_KEYS").map_err(|_| SignInLinkError::NoList)?)?;
    let address = email(address).map_err(SignInLinkError::Email)?;
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(format!("/sign-in?device={}\n", DeviceToken::new(random).reveal(&address, &keys)))
}
