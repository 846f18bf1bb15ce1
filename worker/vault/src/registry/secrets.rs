//! End times of a key's secrets, as rotation and the ending of old secrets set them.

use super::rows::KeyRow;
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::time::Timestamp;

/// Returns the next version of the key, with every secret ending at `end` or earlier.
pub fn ending_by(before: &KeyRow, end: Timestamp, now: Timestamp) -> KeyRow {
    let mut after = KeyRow { version: before.version + 1, updated_at: now, ..before.clone() };
    for secret in &mut after.secrets {
        secret.ends_at = Some(secret.ends_at.map_or(end, |was| was.min(end)));
    }
    after
}

/// Stores the end of every secret.
pub fn store_ends(database: &impl Database, row: &KeyRow) -> CommandResult<()> {
    for secret in &row.secrets {
        database.run(
            "UPDATE secrets SET ends_at = ? WHERE key = ? AND number = ?",
            &[secret.ends_at.map(Timestamp::millis).into(), row.number.into(), secret.number.into()],
        )?;
    }
    Ok(())
}
