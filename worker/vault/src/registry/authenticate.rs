//! Authentication of callers at the management API. Every command of a caller passes here first.
//!
//! A key is checked by the rules of the edge, against its current state: secret, status, workspace,
//! client network.

use super::rows::record;
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    checks::{AccessRequest, decide},
    failure::Failure,
    keyring::Keyring,
    time::Timestamp,
    usage::LastUse,
    vault::Caller,
    verdict::Denial,
};

/// Authenticates a caller. Returns the last use of a calling key.
///
/// A person's session was verified before; the command checks their membership. A wrong secret
/// looks like an unknown key. Rate limits and quotas do not count here.
pub fn authenticate(
    database: &impl Database,
    keyring: &Keyring,
    caller: &Caller,
    now: Timestamp,
) -> CommandResult<Option<LastUse>> {
    let Caller::Key(key) = caller else { return Ok(None) };
    let request = AccessRequest { address: key.address, ..AccessRequest::default() };
    let decided = match record(database, key.id, now)? {
        Some(record) => decide(&record, &key.secret, &request, keyring, now),
        None => Err(Denial::Unknown),
    };
    let secret = decided.map_err(Failure::from)?;
    Ok(Some(LastUse { key: key.id, secret, at: now }))
}

#[cfg(test)]
mod tests;
