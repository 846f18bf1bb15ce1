//! Entries of the revocation feed: appended by the registry, read by edges in pages.

use crate::{
    database::{Database, DatabaseError, DatabaseResult},
    rpc::CommandResult,
};
use ownchat_domain::{
    feed::{Affected, Entry, KEPT_FOR, PAGE, Page, Position},
    time::{MINUTE, Timestamp},
    vault::feed::Announce,
};

/// An unchanged entry stays in place for this long, in milliseconds. A retry after a lost response
/// therefore appends nothing.
///
/// Entries outlive every record by more than this.
const DUPLICATE_WINDOW: i64 = MINUTE;

/// Appends entries.
///
/// An entry moves to the end, so that every reader reads it again, and its retention starts over.
/// An unchanged entry does so too.
///
/// After a loss of data the versions of a key are reused. A revocation under one of them must
/// outlive every record that was sealed since.
pub fn append(database: &impl Database, command: &Announce, now: Timestamp) -> CommandResult<()> {
    database.transaction(|| {
        database.run("DELETE FROM entries WHERE at <= ?", &[now.plus(-KEPT_FOR).millis().into()])?;
        for entry in &command.entries {
            let subject = text(entry.subject);
            let known =
                database.first("SELECT version, at FROM entries WHERE subject = ?", &[subject.as_str().into()])?;
            let mut version = i64::try_from(entry.version).unwrap_or(i64::MAX);
            if let Some(mut row) = known {
                let (known, at) = (row.integer()?, Timestamp::from_millis(row.integer()?));
                if version <= known && now.since(at) < DUPLICATE_WINDOW {
                    continue;
                }
                version = version.max(known);
            }
            database.run("DELETE FROM entries WHERE subject = ?", &[subject.as_str().into()])?;
            database.run(
                "INSERT INTO entries (subject, version, at) VALUES (?, ?, ?)",
                &[subject.into(), version.into(), now.millis().into()],
            )?;
        }
        Ok(())
    })
}

/// Returns the page after a position, or the first page if the position is of another incarnation.
pub fn read_since(database: &impl Database, position: Position) -> DatabaseResult<Page> {
    let row = database.first("SELECT incarnation, born FROM feed", &[])?;
    let mut row = row.ok_or_else(|| DatabaseError("no incarnation".into()))?;
    let (incarnation, born) = (row.integer()?, Timestamp::from_millis(row.integer()?));
    let incarnation = u64::try_from(incarnation).map_err(|_| DatabaseError("a negative incarnation".into()))?;
    let after = if position.incarnation == incarnation { position.position } else { 0 };
    let rows = database.run(
        "SELECT sequence, subject, version FROM entries WHERE sequence > ? ORDER BY sequence LIMIT ?",
        &[i64::try_from(after).unwrap_or(i64::MAX).into(), i64::try_from(PAGE + 1).unwrap_or(i64::MAX).into()],
    )?;
    let more = rows.len() > PAGE;
    let mut page = Page { incarnation, born, position: after, more, entries: Vec::with_capacity(rows.len().min(PAGE)) };
    for mut row in rows.into_iter().take(PAGE) {
        page.position = u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative number".into()))?;
        let subject = subject(&row.text()?)?;
        let version = u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative version".into()))?;
        page.entries.push(Entry { subject, version });
    }
    Ok(page)
}

fn text(subject: Affected) -> String {
    match subject {
        Affected::Key(locator) => locator.to_string(),
        Affected::Workspace(number) => format!("w{number}"),
        Affected::Sealed(number) => format!("s{number}"),
    }
}

fn subject(text: &str) -> DatabaseResult<Affected> {
    if let Ok(locator) = text.parse() {
        return Ok(Affected::Key(locator));
    }
    let numbered = |prefix: char| text.strip_prefix(prefix).and_then(|number| number.parse().ok());
    let workspace = numbered('w').map(Affected::Workspace).or_else(|| numbered('s').map(Affected::Sealed));
    workspace.ok_or_else(|| DatabaseError("not a subject".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::memory::MemoryDatabase, feed::schema};
    use ownchat_domain::locator::Locator;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn fresh() -> MemoryDatabase {
        let database = MemoryDatabase::open();
        schema::apply(&database, 7 << 11, NOW).unwrap();
        database
    }

    fn key(number: u32) -> Locator {
        format!("{number:016}").parse().unwrap()
    }

    fn publish(database: &MemoryDatabase, entries: &[(Affected, u64)], now: Timestamp) {
        let entries = entries.iter().map(|(subject, version)| Entry { subject: *subject, version: *version }).collect();
        append(database, &Announce { entries }, now).unwrap();
    }

    fn read(database: &MemoryDatabase, incarnation: u64, position: u64) -> Page {
        read_since(database, Position { incarnation, position }).unwrap()
    }

    #[test]
    fn a_changed_entry_moves_to_the_end() {
        let database = fresh();
        let subjects = [(Affected::Key(key(1)), 2), (Affected::Workspace(16), 3), (Affected::Sealed(16), 4)];
        publish(&database, &subjects, NOW);
        let all = read(&database, 0, 0);
        assert_eq!((all.incarnation, all.position), (7, 3));
        assert_eq!(all.entries, subjects.map(|(subject, version)| Entry { subject, version }));
        assert!(read(&database, 7, 3).entries.is_empty());
        publish(&database, &[(Affected::Key(key(1)), 2)], NOW.plus(DUPLICATE_WINDOW - 1));
        assert!(read(&database, 7, 3).entries.is_empty(), "readers do not read it again");
        publish(&database, &[(Affected::Key(key(1)), 5)], NOW);
        let page = read(&database, 7, 3);
        assert_eq!(page.entries, [Entry { subject: Affected::Key(key(1)), version: 5 }]);
        assert_eq!(read(&database, 7, 0).entries.len(), 3, "only the last entry per subject");
    }

    /// Such repeats come from a key that was imported from a file older than the feed.
    #[test]
    fn a_repeated_entry_is_retained_as_long_as_a_new_one() {
        for subject in [Affected::Key(key(1)), Affected::Workspace(16)] {
            let database = fresh();
            publish(&database, &[(subject, 5)], NOW);
            for (after, version, position) in [(DUPLICATE_WINDOW, 2, 2), (KEPT_FOR / 2, 5, 3)] {
                let now = NOW.plus(after);
                publish(&database, &[(subject, version)], now);
                let page = read(&database, 7, position - 1);
                assert_eq!((page.position, page.entries), (position, vec![Entry { subject, version: 5 }]));
                publish(&database, &[], now.plus(KEPT_FOR - 1));
                assert_eq!(read(&database, 7, 0).entries.len(), 1, "a stale record may still exist");
            }
            publish(&database, &[], NOW.plus(3 * KEPT_FOR));
            assert!(read(&database, 7, 0).entries.is_empty());
        }
    }

    #[test]
    fn a_position_of_another_incarnation_reads_everything() {
        let database = fresh();
        publish(&database, &[(Affected::Key(key(1)), 2)], NOW);
        assert_eq!(read(&database, 8, 900).entries.len(), 1);
        schema::apply(&database, 9 << 11, NOW.plus(1)).unwrap();
        let page = read(&database, 0, 0);
        assert_eq!((page.incarnation, page.born), (7, NOW), "the incarnation is kept");
    }

    #[test]
    fn entries_are_kept_for_longer_than_any_record_lives() {
        let database = fresh();
        publish(&database, &[(Affected::Key(key(1)), 2)], NOW);
        publish(&database, &[(Affected::Key(key(2)), 2)], NOW.plus(KEPT_FOR - 1));
        assert_eq!(read(&database, 0, 0).entries.len(), 2);
        publish(&database, &[(Affected::Key(key(3)), 2)], NOW.plus(KEPT_FOR));
        assert_eq!(read(&database, 0, 0).entries.len(), 2);
        assert_eq!(read(&database, 7, 1).position, 3, "sequence numbers are not reused");
    }

    #[test]
    fn a_long_feed_is_read_in_pages() {
        let database = fresh();
        let many: Vec<_> = (0..=u32::try_from(PAGE).unwrap()).map(|number| (Affected::Key(key(number)), 2)).collect();
        publish(&database, &many, NOW);
        let first = read(&database, 0, 0);
        assert!(first.more && first.entries.len() == PAGE);
        let rest = read(&database, first.incarnation, first.position);
        assert!(!rest.more && rest.entries.len() == 1);
    }
}
