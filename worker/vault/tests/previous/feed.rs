//! A feed that an earlier version has left. The folder beside this file holds one database for each
//! schema step, as SQL; they are never regenerated.

use super::{entries, schema};
use crate::database::memory::MemoryDatabase;
use ownchat_domain::{
    feed::{Affected, Entry, KEPT_FOR, Page, Position},
    time::Timestamp,
    vault::feed::Announce,
};

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn key(number: u32) -> Affected {
    Affected::Key(format!("{number:016}").parse().unwrap())
}

#[test]
fn a_feed_of_the_first_schema_continues() {
    let database = MemoryDatabase::filled(include_str!("feed/first.sql"));
    // It is opened later and with other random numbers.
    schema::apply(&database, 5 << 11, NOW.plus(9)).unwrap();
    schema::apply(&database, 6 << 11, NOW.plus(9)).unwrap();
    let entry = |subject, version| Entry { subject, version };
    let entries = vec![entry(key(2), 3), entry(Affected::Workspace(7), 2), entry(key(1), 4)];
    let all = Page { incarnation: 77, born: NOW, position: 4, more: false, entries };
    assert_eq!(entries::read_since(&database, Position::default()), Ok(all.clone()));
    let since = |position| entries::read_since(&database, Position { incarnation: 77, position }).unwrap();
    assert_eq!(since(3), Page { entries: vec![entry(key(1), 4)], ..all.clone() });
    // Sequence numbers continue after the last one ever assigned.
    entries::append(&database, &Announce { entries: vec![entry(key(2), 3), entry(key(2), 5)] }, NOW.plus(9)).unwrap();
    assert_eq!(since(4), Page { position: 5, entries: vec![entry(key(2), 5)], ..all.clone() });
    // An entry expires by the time at which it was appended.
    entries::append(&database, &Announce { entries: vec![entry(key(3), 1)] }, NOW.plus(KEPT_FOR + 2)).unwrap();
    let left = vec![entry(key(1), 4), entry(key(2), 5), entry(key(3), 1)];
    assert_eq!(since(0), Page { position: 6, entries: left, ..all });
}
