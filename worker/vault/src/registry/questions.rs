//! The questions that change no key and no setting.

use super::{callers::asked, defect, explain, keys, list, log, masters, outbox, rows, settings, transfer};
use crate::{answer::answer, database::Database, object::now};
use ownchat_domain::{
    keyring::Keyring,
    locator::Locator,
    time::Timestamp,
    vault::{
        Call,
        masters::ReadMasters,
        registry::{ExplainCall, ListKeys, ReadKey, ReadSettings, ReadTrail},
        transfer::ReadExport,
    },
};
use worker::{Request, Response, Result};

/// Answers the question of this name.
pub async fn answer_question(
    database: &impl Database,
    ring: &Keyring,
    name: &str,
    request: &mut Request,
) -> Result<Response> {
    match name {
        ListKeys::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ListKeys>(call.and_then(|call| list::list(database, &call, now())))
        }
        ReadKey::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ReadKey>(call.and_then(|call| keys::read(database, &call, now())))
        }
        ExplainCall::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ExplainCall>(call.and_then(|call| explain::explain_call(database, ring, &call, now())))
        }
        ReadSettings::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ReadSettings>(call.and_then(|call| settings::read(database, &call, now())))
        }
        ReadTrail::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ReadTrail>(call.and_then(|call| list::trail(database, &call, now())))
        }
        ReadMasters::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ReadMasters>(call.and_then(|call| masters::read(database, ring, &call, now())))
        }
        ReadExport::NAME => {
            let call = asked(database, ring, request, now).await?;
            answer::<ReadExport>(call.and_then(|call| transfer::read(database, &call, now())))
        }
        _ => match name.strip_prefix("record/").and_then(|id| id.parse::<Locator>().ok()) {
            Some(locator) => record(database, ring, locator),
            None => Response::error("no such question", 404),
        },
    }
}

/// The truth about one key, sealed, for an edge that has no good copy of it.
fn record(database: &impl Database, ring: &Keyring, locator: Locator) -> Result<Response> {
    let moment: Timestamp = now();
    match rows::record(database, locator, moment).map_err(defect)? {
        Some(record) => {
            outbox::enqueue_missing(database, locator, moment).map_err(defect)?;
            log(masters::lacking(&record, ring));
            Response::from_bytes(record.seal(ring).map_err(defect)?)
        }
        None => Response::error("no such key", 404),
    }
}
