//! Lets somebody sign in who would have to wait because others have guessed at the password.
//!
//! The link makes one device known to the account, as an earlier sign-in from it would have. The
//! password is asked for all the same.

use ownchat_domain::{
    account::{DeviceToken, email},
    keyring::{CookieKeys, KeyringError},
};
use std::{
    env,
    fs::File,
    io::{self, Read},
};

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is nothing to sign with.
    #[error("set MASTER_KEYS in the environment to the list of the deployment")]
    NoList,
    /// The list cannot be used.
    #[error(transparent)]
    List(#[from] KeyringError),
    /// It is no email address.
    #[error("{0}")]
    Email(String),
    /// There are no random bytes.
    #[error("this needs /dev/urandom: {0}")]
    Random(#[from] io::Error),
}

/// The path of the link, below the console's origin.
pub fn let_in(address: &str) -> Result<String, Refusal> {
    let keys = CookieKeys::parse(&env::var("MASTER_KEYS").map_err(|_| Refusal::NoList)?)?;
    let address = email(address).map_err(Refusal::Email)?;
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(format!("/sign-in?device={}\n", DeviceToken::new(random).reveal(&address, &keys)))
}
