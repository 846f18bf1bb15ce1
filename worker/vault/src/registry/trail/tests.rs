//! Storage of the trail.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    migrate::migrate,
    registry::{
        schema,
        testing::{NOW, count, create, new_key, workspace},
    },
};
use ownchat_domain::{account::PersonId, audit::verify};

fn all(database: &MemoryDatabase) -> Vec<String> {
    let filter = LineFilter { limit: 1_000, ..LineFilter::default() };
    lines(database, &filter).unwrap().into_iter().map(|(_, line)| line).collect()
}

fn check(database: &MemoryDatabase) -> Result<u64, ownchat_domain::audit::Flaw> {
    verify(all(database).iter().map(String::as_str)).map(|(count, _)| count)
}

#[test]
fn the_chain_verifies_and_a_tampered_row_is_found() {
    let database = workspace();
    for name in ["One", "Two", "Three"] {
        create(&database, new_key(name, &["contacts:read"]), NOW).unwrap();
    }
    assert_eq!(check(&database), Ok(3));
    database.run("UPDATE trail SET line = replace(line, 'Two', 'Too') WHERE sequence = 2", &[]).unwrap();
    assert_eq!(check(&database), Err(ownchat_domain::audit::Flaw::Altered(2)));
}

#[test]
fn lines_are_filtered() {
    let database = workspace();
    let one = create(&database, new_key("One", &["contacts:read"]), NOW).unwrap();
    create(&database, new_key("Two", &["contacts:read"]), NOW.plus(10)).unwrap();
    let select = |filter: LineFilter| {
        let found = lines(&database, &LineFilter { limit: 100, ..filter }).unwrap();
        found.into_iter().map(|(sequence, _)| sequence).collect::<Vec<_>>()
    };
    assert_eq!(select(LineFilter::default()), [1, 2]);
    assert_eq!(select(LineFilter { after: 1, ..LineFilter::default() }), [2]);
    assert_eq!(select(LineFilter { key: Some(one.id), ..LineFilter::default() }), [1]);
    assert_eq!(select(LineFilter { from: Some(NOW.plus(1)), ..LineFilter::default() }), [2]);
    assert_eq!(select(LineFilter { to: Some(NOW.plus(10)), ..LineFilter::default() }), [1]);
    assert_eq!(select(LineFilter { action: Some(Action::Delete), ..LineFilter::default() }), Vec::<u64>::new());
    assert_eq!(select(LineFilter { actor: Some(ActorId::Person(PersonId(1))), ..LineFilter::default() }), [1, 2]);
}

/// Lines of the first version are chained and not lost.
#[test]
fn the_unchained_trail_is_migrated() {
    let database = MemoryDatabase::open();
    migrate(&database, &[schema::FIRST]).unwrap();
    database.run("INSERT INTO workspace (id, number, name) VALUES (1, 7, 'Shop')", &[]).unwrap();
    database.run("INSERT INTO members VALUES ('0000000000000001', 'Ada', 'owner')", &[]).unwrap();
    database
        .run(
            "INSERT INTO audit (at, person, address, request_id, action, key, before, after) VALUES \
             (1, '0000000000000001', '192.0.2.1', 'r1', 'key.create', 'JCgnh3DhfKRFKbvX', NULL, '{\"name\":\"A\"}'), \
             (2, '0000000000000001', '192.0.2.1', 'r2', 'key.delete', 'JCgnh3DhfKRFKbvX', '{\"name\":\"A\"}', NULL)",
            &[],
        )
        .unwrap();
    schema::apply(&database).unwrap();
    schema::apply(&database).unwrap();
    assert_eq!(check(&database), Ok(2));
    let lines = all(&database);
    assert!(
        lines[0].contains("\"actor_name\":\"Ada\"") && lines[0].contains("\"after\":{\"name\":\"A\"}"),
        "{lines:?}"
    );
    assert_eq!(count(&database, "trail"), 2);
}
