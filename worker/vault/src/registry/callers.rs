//! Who may ask at all. Every question to the registry comes through here first, and a key that asks is checked as the
//! edge checks it, against the truth of this moment: its secret, its state, the workspace, the caller's network.

use super::rows::record;
use crate::{
    answer::{Done, question},
    database::Database,
};
use ownchat_domain::{
    failure::Failure,
    keyring::Keyring,
    policy::{Call, decide},
    time::Timestamp,
    vault::{Asked, Caller},
    verdict::Denial,
};
use worker::Request;

/// Reads the question of a request, and lets in who asks it.
///
/// Nothing is waited for after the caller was let in: the command finds what was checked.
pub async fn asked<C: Asked>(
    database: &impl Database,
    keyring: &Keyring,
    request: &mut Request,
    now: impl Fn() -> Timestamp,
) -> worker::Result<Done<C>> {
    let call: C = question(request).await?;
    Ok(admit(database, keyring, call.caller(), now()).map(|()| call))
}

/// Lets a caller in. A person has shown their session before; whether they belong here is for the command to see. A
/// wrong secret looks like no key. Neither rate limits nor quotas count here.
pub fn admit(database: &impl Database, keyring: &Keyring, caller: &Caller, now: Timestamp) -> Done<()> {
    let Caller::Key(key) = caller else { return Ok(()) };
    let call = Call { address: key.address, ..Call::default() };
    let decided = match record(database, key.id, now)? {
        Some(record) => decide(&record, &key.secret, &call, keyring, now).map(drop),
        None => Err(Denial::Unknown),
    };
    Ok(decided.map_err(Failure::from)?)
}

#[cfg(test)]
#[path = "callers/tests.rs"]
mod tests;
