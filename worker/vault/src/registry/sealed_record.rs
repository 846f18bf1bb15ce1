//! Serves the sealed record of a key to an edge that has no valid replica of it.

use super::{kv_outbox, masters, rows};
use crate::{log, object::now, storage::Storage};
use ownchat_domain::{keyring::Keyring, locator::Locator, time::Timestamp};
use worker::{Response, Result};

/// Prefix of the path; the id of the key follows.
pub const RECORD: &str = "record/";

/// Responds with the sealed record of a key, and queues it for KV.
///
/// It is no command: an edge reads bytes, by `GET` and without a caller. A workspace whose store
/// was lost responds too, with “no such key”, since records outlive the store.
pub fn respond(database: &Storage, ring: &Keyring, id: &str) -> Result<Response> {
    let Ok(locator) = id.parse::<Locator>() else { return Response::error("no such key", 404) };
    let moment: Timestamp = now();
    match rows::record(database, locator, moment).map_err(log::internal_error)? {
        Some(record) => {
            kv_outbox::enqueue_missing(database, locator, moment).map_err(log::internal_error)?;
            log::errors(masters::missing_peppers(&record, ring));
            Response::from_bytes(record.seal(ring).map_err(log::internal_error)?)
        }
        None => Response::error("no such key", 404),
    }
}
