//! Expiry of a staged import: the lines of a file that was uploaded and never imported.

use crate::database::{Database, DatabaseResult};
use ownchat_domain::time::{DAY, Timestamp};

/// A staged file expires this long after its last line, in milliseconds.
const EXPIRES_AFTER: i64 = DAY;

/// Returns the time at which the staged file expires, if there is one.
pub fn next_due(database: &impl Database) -> DatabaseResult<Option<Timestamp>> {
    // The time of the last line counts, so a slow upload does not expire on the way.
    match database.first("SELECT at FROM staged ORDER BY number DESC LIMIT 1", &[])? {
        Some(mut row) => Ok(Some(Timestamp::from_millis(row.integer()?).plus(EXPIRES_AFTER))),
        None => Ok(None),
    }
}

/// Deletes the whole staged file if it has expired.
pub fn expire(database: &impl Database, now: Timestamp) -> DatabaseResult<()> {
    if next_due(database)?.is_some_and(|due| due <= now) {
        database.run("DELETE FROM staged", &[])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        database::memory::MemoryDatabase,
        registry::{
            self,
            testing::{NOW, OWNER, count, origin, workspace},
            transfer::stage,
        },
    };
    use ownchat_domain::{time::HOUR, vault::transfer::StageImport};

    fn stage_two(database: &MemoryDatabase, first: u64, now: Timestamp) {
        let lines = vec!["{}".to_owned(); 2];
        stage(database, &StageImport { origin: origin(OWNER), first, lines }, now).unwrap();
    }

    /// An import needs a workspace without keys, so nothing else wakes it.
    #[test]
    fn an_abandoned_file_expires_after_a_day() {
        let database = workspace();
        assert_eq!(registry::alarm::next_due(&database, NOW), Ok(None), "nothing is due");
        stage_two(&database, 1, NOW);
        assert_eq!(registry::alarm::next_due(&database, NOW), Ok(Some(NOW.plus(DAY))));
        expire(&database, NOW.plus(DAY - 1)).unwrap();
        assert_eq!(count(&database, "staged"), 2);
        expire(&database, NOW.plus(DAY)).unwrap();
        assert_eq!(count(&database, "staged"), 0);
        assert_eq!(registry::alarm::next_due(&database, NOW.plus(DAY)), Ok(None));
    }

    #[test]
    fn a_file_expires_as_a_whole_and_not_during_upload() {
        let database = workspace();
        stage_two(&database, 1, NOW);
        stage_two(&database, 3, NOW.plus(20 * HOUR));
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(20 * HOUR + DAY))));
        expire(&database, NOW.plus(DAY)).unwrap();
        assert_eq!(count(&database, "staged"), 4);
        stage_two(&database, 5, NOW.plus(40 * HOUR));
        expire(&database, NOW.plus(40 * HOUR + DAY)).unwrap();
        assert_eq!((count(&database, "staged"), next_due(&database)), (0, Ok(None)));
    }
}
