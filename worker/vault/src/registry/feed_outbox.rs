//! Feed outbox: entries for the revocation feed, stored in the transaction of their change.
//!
//! They are published before the response confirms the change. If the feed cannot be reached, they
//! stay here and are retried.

use super::{effective, purge_cleanup, rows};
use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    feed::{Affected, Entry},
    locator::Locator,
    time::Timestamp,
};

/// Subject that stands for the whole workspace.
const WORKSPACE: &str = "";
/// Subject that stands for the sealing time of all records of the workspace.
const SEALED: &str = "sealed";
/// Most entries of one publication.
const BATCH: i64 = 500;

/// Queues: records of the key are valid from this version.
pub fn enqueue_key(database: &impl Database, locator: Locator, version: u64) -> CommandResult<()> {
    Ok(enqueue(database, &locator.to_string(), version)?)
}

/// Queues: records of the workspace are valid from this version of the settings.
pub fn enqueue_workspace(database: &impl Database, version: u64) -> CommandResult<()> {
    Ok(enqueue(database, WORKSPACE, version)?)
}

/// Queues: records of all keys are valid from their current version, and if sealed from now on.
pub fn enqueue_all(database: &impl Database, settings: u64, now: Timestamp) -> CommandResult<()> {
    enqueue(database, SEALED, u64::try_from(now.millis()).unwrap_or(0))?;
    rows::keys::queue_feed_entries(database)?;
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

/// Returns the next batch of entries to publish.
pub fn pending(database: &impl Database, workspace: u32) -> DatabaseResult<Vec<Entry>> {
    // Entries that cover all keys come first.
    let rows = database.run(
        "SELECT subject, version FROM announcements WHERE subject IN (?1, ?2) UNION ALL \
         SELECT subject, version FROM announcements WHERE subject NOT IN (?1, ?2) LIMIT ?3",
        &[WORKSPACE.into(), SEALED.into(), BATCH.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            let subject = match row.text()?.as_str() {
                WORKSPACE => Affected::Workspace(workspace),
                SEALED => Affected::Sealed(workspace),
                locator => Affected::Key(locator.parse().map_err(|_| DatabaseError("not a locator".into()))?),
            };
            let version = u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative version".into()))?;
            Ok(Entry { subject, version })
        })
        .collect()
}

/// Returns true if an entry of this key is unpublished, or of the workspace if `key` is `None`.
pub fn is_pending(database: &impl Database, key: Option<Locator>) -> DatabaseResult<bool> {
    let subject = key.map_or_else(|| WORKSPACE.to_owned(), |key| key.to_string());
    Ok(database.first("SELECT 1 FROM announcements WHERE subject = ?", &[subject.into()])?.is_some())
}

/// Removes entries that were published by `now`. Entries with a newer version stay.
pub fn mark_published(database: &impl Database, entries: &[Entry], now: Timestamp) -> DatabaseResult<()> {
    for entry in entries {
        let subject = match entry.subject {
            Affected::Key(locator) => locator.to_string(),
            Affected::Workspace(_) => WORKSPACE.to_owned(),
            Affected::Sealed(_) => SEALED.to_owned(),
        };
        database.run(
            "DELETE FROM announcements WHERE subject = ? AND version <= ?",
            &[subject.into(), i64::try_from(entry.version).unwrap_or(i64::MAX).into()],
        )?;
    }
    if entries.iter().any(|entry| matches!(entry.subject, Affected::Sealed(_))) {
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
        assert!(first.contains(&Entry { subject: Affected::Workspace(7), version: 3 }));
        enqueue_key(&database, key(1), 3).unwrap();
        mark_published(&database, &first, NOW).unwrap();
        assert!(is_pending(&database, Some(key(1))).unwrap());
        assert!(!is_pending(&database, Some(key(2))).unwrap() && !is_pending(&database, None).unwrap());
        assert_eq!(pending(&database, 7).unwrap(), [Entry { subject: Affected::Key(key(1)), version: 3 }]);
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
        assert!(first[..2].contains(&Entry { subject: Affected::Workspace(7), version: 3 }));
        assert!(first[..2].iter().any(|entry| matches!(entry.subject, Affected::Sealed(7))));
        mark_published(&database, &first, NOW).unwrap();
        assert_eq!(pending(&database, 7).unwrap().len(), 2);
    }

    #[test]
    fn an_older_version_replaces_nothing() {
        let database = workspace();
        enqueue_key(&database, key(1), 9).unwrap();
        enqueue_key(&database, key(1), 2).unwrap();
        assert_eq!(pending(&database, 7).unwrap(), [Entry { subject: Affected::Key(key(1)), version: 9 }]);
        assert_eq!(count(&database, "announcements"), 1);
    }
}
