//! Serves the sealed record of a key to an edge that has no valid replica of it.

use super::{
    kv_outbox,
    log::{internal_error, log},
    masters, rows,
};
use crate::{object::now, storage::Storage};
use ownchat_domain::{keyring::Keyring, locator::Locator, time::Timestamp};
use worker::{Response, Result};

/// Prefix of the path; the id of the key follows.
pub const RECORD: &str = "record/";

/// Responds with the sealed record of a key, and queues it for KV.
pub fn respond(database: &Storage, ring: &Keyring, locator: Locator) -> Result<Response> {
    let moment: Timestamp = now();
    match rows::record(database, locator, moment).map_err(internal_error)? {
        Some(record) => {
            kv_outbox::enqueue_missing(database, locator, moment).map_err(internal_error)?;
            log(masters::missing_peppers(&record, ring));
            Response::from_bytes(record.seal(ring).map_err(internal_error)?)
        }
        None => Response::error("no such key", 404),
    }
}
