//! Telling the feed: what a change forbids is noted in the change's own transaction, and told before the
//! admin is told that it is done. What could not be told waits here until it can be.

use super::{effective, purge_cleanup};
use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    feed::{Entry, Subject},
    locator::Locator,
    time::Timestamp,
};

/// Stands for the whole workspace.
const WORKSPACE: &str = "";
/// Stands for when the records of the whole workspace were sealed.
const SEALED: &str = "sealed";
/// Most announcements of one call.
const BATCH: i64 = 500;

/// From this version on records of the key are good.
pub fn enqueue_key(database: &impl Database, locator: Locator, version: u64) -> CommandResult<()> {
    Ok(enqueue(database, &locator.to_string(), version)?)
}

/// From this version of the settings on records of the workspace are good.
pub fn enqueue_workspace(database: &impl Database, version: u64) -> CommandResult<()> {
    Ok(enqueue(database, WORKSPACE, version)?)
}

/// Of every key, and of the workspace, records are good from the version on that it has now, and if they are sealed from now on. Of a
/// first version there is nothing older.
pub fn enqueue_all(database: &impl Database, settings: u64, now: Timestamp) -> CommandResult<()> {
    enqueue(database, SEALED, u64::try_from(now.millis()).unwrap_or(0))?;
    database.run(
        "INSERT INTO announcements (subject, version) SELECT locator, version FROM keys WHERE version > 1 \
         ON CONFLICT (subject) DO UPDATE SET version = max(version, excluded.version)",
        &[],
    )?;
    if settings > 1 { enqueue_workspace(database, settings) } else { Ok(()) }
}

fn enqueue(database: &impl Database, subject: &str, version: u64) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO announcements (subject, version) VALUES (?, ?) \
         ON CONFLICT (subject) DO UPDATE SET version = max(version, excluded.version)",
        &[subject.into(), i64::try_from(version).unwrap_or(i64::MAX).into()],
    )?;
    Ok(())
}

/// What waits to be told.
pub fn pending(database: &impl Database, workspace: u32) -> DatabaseResult<Vec<Entry>> {
    // What is true of all comes first.
    let rows = database.run(
        "SELECT subject, version FROM announcements WHERE subject IN (?1, ?2) UNION ALL \
         SELECT subject, version FROM announcements WHERE subject NOT IN (?1, ?2) LIMIT ?3",
        &[WORKSPACE.into(), SEALED.into(), BATCH.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            let subject = match row.text()?.as_str() {
                WORKSPACE => Subject::Workspace(workspace),
                SEALED => Subject::Sealed(workspace),
                locator => Subject::Key(locator.parse().map_err(|_| DatabaseError("not a locator".into()))?),
            };
            let version = u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative version".into()))?;
            Ok(Entry { subject, version })
        })
        .collect()
}

/// Whether the feed was not told yet of a change of this key, or of the workspace if none is named.
pub fn is_pending(database: &impl Database, key: Option<Locator>) -> DatabaseResult<bool> {
    let subject = key.map_or_else(|| WORKSPACE.to_owned(), |key| key.to_string());
    Ok(database.first("SELECT 1 FROM announcements WHERE subject = ?", &[subject.into()])?.is_some())
}

/// These were told by `now`. What has changed since waits on.
pub fn mark_published(database: &impl Database, entries: &[Entry], now: Timestamp) -> DatabaseResult<()> {
    for entry in entries {
        let subject = match entry.subject {
            Subject::Key(locator) => locator.to_string(),
            Subject::Workspace(_) => WORKSPACE.to_owned(),
            Subject::Sealed(_) => SEALED.to_owned(),
        };
        database.run(
            "DELETE FROM announcements WHERE subject = ? AND version <= ?",
            &[subject.into(), i64::try_from(entry.version).unwrap_or(i64::MAX).into()],
        )?;
    }
    if entries.iter().any(|entry| matches!(entry.subject, Subject::Sealed(_))) {
        purge_cleanup::enqueue_imported(database, now)?;
    }
    let all =
        database.first("SELECT 1 FROM announcements WHERE subject IN (?, ?)", &[WORKSPACE.into(), SEALED.into()])?;
    if all.is_some() { Ok(()) } else { effective::settings_published(database, now) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{NOW, count, workspace};

    fn key(number: u32) -> Locator {
        format!("{number:016}").parse().unwrap()
    }

    #[test]
    fn a_change_during_publication_stays_pending() {
        let database = workspace();
        enqueue_key(&database, key(1), 2).unwrap();
        enqueue_key(&database, key(2), 5).unwrap();
        enqueue_workspace(&database, 3).unwrap();
        let first = pending(&database, 7).unwrap();
        assert_eq!(first.len(), 3);
        assert!(first.contains(&Entry { subject: Subject::Workspace(7), version: 3 }));
        enqueue_key(&database, key(1), 3).unwrap();
        mark_published(&database, &first, NOW).unwrap();
        assert!(is_pending(&database, Some(key(1))).unwrap());
        assert!(!is_pending(&database, Some(key(2))).unwrap() && !is_pending(&database, None).unwrap());
        assert_eq!(pending(&database, 7).unwrap(), [Entry { subject: Subject::Key(key(1)), version: 3 }]);
    }

    #[test]
    fn workspace_entries_are_published_first() {
        let database = workspace();
        for number in 0..u32::try_from(BATCH).unwrap() {
            enqueue_key(&database, key(number), 2).unwrap();
        }
        enqueue_all(&database, 3, NOW).unwrap();
        let first = pending(&database, 7).unwrap();
        assert_eq!(first.len(), usize::try_from(BATCH).unwrap());
        assert!(first[..2].contains(&Entry { subject: Subject::Workspace(7), version: 3 }));
        assert!(first[..2].iter().any(|entry| matches!(entry.subject, Subject::Sealed(7))));
        mark_published(&database, &first, NOW).unwrap();
        assert_eq!(pending(&database, 7).unwrap().len(), 2);
    }

    #[test]
    fn an_older_version_replaces_nothing() {
        let database = workspace();
        enqueue_key(&database, key(1), 9).unwrap();
        enqueue_key(&database, key(1), 2).unwrap();
        assert_eq!(pending(&database, 7).unwrap(), [Entry { subject: Subject::Key(key(1)), version: 9 }]);
        assert_eq!(count(&database, "announcements"), 1);
    }
}
