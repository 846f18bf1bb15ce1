//! Workspaces that earlier versions have left: migrated, read and worked with.
//!
//! The folder beside this file holds one database for each schema step, as SQL. They are never
//! regenerated: with a new step, add one that the version before it has written.

use super::{
    effective, feed_outbox, keys,
    kv_replica::memory::{MemoryKv, expect_ready},
    list, master_check,
    meters::memory::MemoryMeters,
    purge, purge_cleanup, restore, rotate, rows,
    rows::record,
    schema,
    testing::{NOW, OWNER, count, keyring, new_key, origin},
    transfer,
};
use crate::database::{Database, memory::MemoryDatabase};
use ownchat_domain::{
    account::PersonId,
    audit::verify,
    checks::{AccessRequest, decide},
    digest::SecretHash,
    failure::Failure,
    feed::{Affected, Entry},
    idempotency::{BodyHash, Idempotency},
    key::{KeyQuery, Reason, Status},
    keyring::Keyring,
    locator::Locator,
    time::{DAY, Timestamp},
    vault::{
        registry::{CreateKey, ListKeys, ReadTrail, RestoreKey, RotateKey, TrailQuery},
        transfer::ReadExport,
    },
    verdict::Denial,
};

/// Migrates twice, since every start does.
fn opened(sql: &str) -> MemoryDatabase {
    let database = MemoryDatabase::filled(sql);
    schema::apply(&database).unwrap();
    schema::apply(&database).unwrap();
    database
}

fn id(text: &str) -> Locator {
    text.parse().unwrap()
}

fn trail(database: &MemoryDatabase) -> Vec<String> {
    let query = TrailQuery { limit: Some(100), ..TrailQuery::default() };
    list::trail(database, &ReadTrail { caller: OWNER.into(), query }, NOW).unwrap().lines
}

/// An export reads every row, so all of them are readable.
fn exported(database: &MemoryDatabase, now: Timestamp) -> usize {
    let (mut lines, mut after) = (0, None);
    loop {
        let part = transfer::read(database, &ReadExport { origin: origin(OWNER), after }, now).unwrap();
        lines += part.lines.len();
        after = part.next;
        if after.is_none() {
            return lines;
        }
    }
}

#[test]
fn a_workspace_of_the_first_schema_is_migrated() {
    let database = opened(include_str!("registry/first.sql"));
    let ring =
        Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
            .unwrap();
    let listed = list::list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, NOW).unwrap();
    assert_eq!(listed.data.len(), 1);
    let key = &listed.data[0];
    assert_eq!((key.name.as_str(), key.version, key.status), ("Shop", 2, Status::Active));
    assert!(key.restrictions.allow.is_empty() && key.rate_limit.is_none() && key.metadata.is_empty());
    let current = record(&database, key.id, NOW).unwrap().unwrap();
    assert_eq!((current.secrets.len(), current.secrets[0].number, current.secrets[0].master), (1, 1, 2));
    assert_eq!(current.secrets[0].digest.as_bytes(), &[7; 32]);
    assert_eq!((current.workspace.version, current.workspace.suspended), (1, false));
    let lines = trail(&database);
    assert_eq!(verify(lines.iter().map(String::as_str)).unwrap().0, 4);
    let back = restore::restore(
        &database,
        &RestoreKey { origin: origin(OWNER), id: id("OUbshx82gywrkBsn") },
        NOW.plus(60_000),
    );
    assert_eq!(back.unwrap().key.version, 3);
    let secret = SecretHash::from_bytes([4; 32]);
    let rotate = RotateKey {
        origin: origin(OWNER),
        id: key.id,
        version: 2,
        overlap_seconds: 0,
        end_earlier: true,
        secret,
        once: None,
    };
    rotate::rotate(&database, &ring, &rotate, NOW.plus(60_000)).unwrap();
    let current = record(&database, key.id, NOW.plus(60_000)).unwrap().unwrap();
    assert_eq!(decide(&current, &secret, &AccessRequest::default(), &ring, NOW.plus(60_000)), Ok(2));
    assert_eq!(exported(&database, NOW), 1 + 2 + 6);
    assert_eq!(verify(trail(&database).iter().map(String::as_str)).unwrap().0, 7);
}

#[test]
fn a_workspace_of_the_second_schema_is_migrated() {
    let database = opened(include_str!("registry/second.sql"));
    let listed =
        list::list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, NOW.plus(5)).unwrap();
    let names: Vec<&str> = listed.data.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["Full", "Shop"]);
    let (full, shop) = (&listed.data[0], &listed.data[1]);
    assert_eq!(full.reason, Some(Reason::Scheduled));
    assert_eq!(full.restrictions.channels, ["ch_1"]);
    assert_eq!((full.rate_limit.unwrap().limit, full.quota.unwrap().limit), (5, 500));
    assert_eq!(full.metadata.get("team").map(String::as_str), Some("commerce"));
    let current = record(&database, shop.id, NOW.plus(5)).unwrap().unwrap();
    assert_eq!((current.version, current.workspace.version, current.workspace.outage_seconds), (2, 2, 60));
    let decision =
        |byte, now| decide(&current, &SecretHash::from_bytes([byte; 32]), &AccessRequest::default(), &keyring(), now);
    assert_eq!((decision(3, NOW.plus(5)), decision(4, NOW.plus(5))), (Ok(1), Ok(2)));
    assert_eq!(decision(3, NOW.plus(3_600_001)), Err(Denial::Replaced));
    let gone = rows::find(&database, id("cFsG86pKQhxXQA4l")).unwrap().unwrap();
    assert_eq!((gone.deleted_at, gone.version), (Some(NOW.plus(2)), 2));
    assert_eq!(verify(trail(&database).iter().map(String::as_str)).unwrap().0, 6);
    // Unpublished feed entries are kept.
    let pending = feed_outbox::pending(&database, 7).unwrap();
    assert!(pending.contains(&Entry { subject: Affected::Key(shop.id), version: 2 }), "{pending:?}");
    assert!(pending.contains(&Entry { subject: Affected::Workspace(7), version: 2 }), "{pending:?}");
    assert_eq!((count(&database, "outbox"), exported(&database, NOW)), (3, 1 + 3 + 6));
    keys::present(&database, full.id).unwrap();
    assert!(database.first("SELECT 1 FROM keys WHERE issuer IS NOT NULL", &[]).unwrap().is_none(), "the sweep's task");
}

#[test]
fn a_workspace_of_the_third_schema_is_migrated() {
    let database = opened(include_str!("registry/third.sql"));
    let now = NOW.plus(7);
    let asked = |caller| ListKeys { caller, query: KeyQuery::default() };
    let names = |person: PersonId| -> Vec<String> {
        list::list(&database, &asked(person.into()), now).unwrap().data.into_iter().map(|key| key.name).collect()
    };
    // Everyone keeps their role.
    assert_eq!(names(OWNER), ["Bo's", "Full", "Shop"]);
    assert_eq!((names(PersonId(3)), names(PersonId(4))), (vec!["Bo's".to_owned()], names(OWNER)));
    let [bos, shop] = ["hiqYqvUo1B0hE3ih", "LpqQoyBmZCguQAfF"].map(id);
    let row = rows::find(&database, bos).unwrap().unwrap();
    assert_eq!((row.owner, row.created_by.as_str()), (Some(PersonId(3)), "Bo"));
    let current = record(&database, shop, now).unwrap().unwrap();
    let decision =
        |byte, now| decide(&current, &SecretHash::from_bytes([byte; 32]), &AccessRequest::default(), &keyring(), now);
    assert_eq!(
        (decision(3, now), decision(4, now), decision(3, NOW.plus(3_600_004))),
        (Ok(1), Ok(2), Err(Denial::Replaced))
    );
    // Stored responses are replayed unchanged.
    let once = |name: &str| Some(Idempotency { key: name.parse().unwrap(), body: BodyHash::of(b"{}") });
    let (key, secret) = (new_key("Bo's", &["messages:send"]), SecretHash::from_bytes([5; 32]));
    let create = CreateKey { origin: origin(PersonId(3)), key, secret, once: once("order-7") };
    let made = keys::create(&database, &keyring(), 7, &create, now).unwrap();
    assert_eq!((made.replayed, &made.key), (true, &row.to_key(now)));
    let secret = SecretHash::from_bytes([4; 32]);
    let rotate = RotateKey {
        origin: origin(OWNER),
        id: shop,
        version: 1,
        overlap_seconds: 3_600,
        end_earlier: true,
        secret,
        once: once("turn-1"),
    };
    let rotated = rotate::rotate(&database, &keyring(), &rotate, now).unwrap();
    let shown = rows::find(&database, shop).unwrap().unwrap().to_key(now);
    assert_eq!((rotated.replayed, &rotated.key, rotated.grace_until), (true, &shown, Some(NOW.plus(3_600_004))));
    let other = BodyHash::of(b"{ }");
    let reused = CreateKey { once: once("order-7").map(|once| Idempotency { body: other, ..once }), ..create };
    assert_eq!(keys::create(&database, &keyring(), 7, &reused, now), Err(Failure::Reused.into()));
    assert_eq!((count(&database, "requests"), count(&database, "outbox")), (2, 4));
    assert_eq!((feed_outbox::pending(&database, 7).unwrap().len(), exported(&database, now)), (3, 1 + 4 + 7));
    assert_eq!(verify(trail(&database).iter().map(String::as_str)).unwrap().0, 8);
}

#[test]
fn a_workspace_of_the_fourth_schema_is_migrated() {
    let database = opened(include_str!("registry/fourth.sql"));
    let listed =
        list::list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, NOW.plus(5)).unwrap();
    let names: Vec<&str> = listed.data.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["Full", "Shop"]);
    let (full, shop) = (&listed.data[0], &listed.data[1]);
    assert_eq!((full.rate_limit.unwrap().limit, full.quota.unwrap().limit), (5, 500));
    let current = record(&database, shop.id, NOW.plus(5)).unwrap().unwrap();
    let decision =
        |byte, now| decide(&current, &SecretHash::from_bytes([byte; 32]), &AccessRequest::default(), &keyring(), now);
    assert_eq!((decision(3, NOW.plus(5)), decision(4, NOW.plus(5))), (Ok(1), Ok(2)));
    assert_eq!((count(&database, "staged"), count(&database, "outbox"), exported(&database, NOW)), (1, 3, 1 + 3 + 5));
    let gone = purge::purge(&database, NOW.plus(31 * DAY)).unwrap();
    assert_eq!((gone.keys.len(), purge_cleanup::next_due(&database)), (1, Ok(Some(NOW.plus(31 * DAY)))));
    assert_eq!(verify(trail(&database).iter().map(String::as_str)).unwrap().0, 7);
}

#[test]
fn a_workspace_of_the_fifth_schema_is_migrated() {
    let database = opened(include_str!("registry/fifth.sql"));
    let now = NOW.plus(31 * DAY + 10);
    let listed = list::list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, now).unwrap();
    let names: Vec<&str> = listed.data.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["Made once", "Full", "Shop"]);
    // A queued meter is still cleared.
    assert_eq!(purge_cleanup::next_due(&database), Ok(Some(NOW.plus(31 * DAY))));
    let (meters, kv) = (MemoryMeters::default(), MemoryKv::default());
    assert_eq!(expect_ready(purge_cleanup::run(&database, &meters, &kv, || now)).unwrap(), Vec::<String>::new());
    assert_eq!(meters.cleared.borrow().clone(), [id("cFsG86pKQhxXQA4l")]);
    // A stored response is replayed.
    let once = Idempotency { key: "order-7".parse().unwrap(), body: BodyHash::of(b"{}") };
    let (key, secret) = (new_key("Made once", &["contacts:read"]), SecretHash::from_bytes([9; 32]));
    let command = CreateKey { origin: origin(OWNER), key, secret, once: Some(once) };
    let again = keys::create(&database, &keyring(), 7, &command, now).unwrap();
    assert!(again.replayed && again.key.id == listed.data[0].id);
    assert_eq!(effective::effective_at(&database, now), Ok(now.plus(600_000)), "the current grace period");
    assert_eq!(count(&database, "keys"), 4);
    assert_eq!(verify(trail(&database).iter().map(String::as_str)).unwrap().0, 10);
}

#[test]
fn a_workspace_of_the_sixth_schema_is_migrated() {
    let database = opened(include_str!("registry/sixth.sql"));
    let now = NOW.plus(31 * DAY + 10);
    // A purged key is still queued for clean-up, and the former outage grace period still counts.
    assert_eq!(purge_cleanup::next_due(&database), Ok(Some(NOW.plus(31 * DAY))));
    let until = Timestamp::from_millis(1_798_130_900_000);
    assert_eq!(effective::effective_at(&database, until.plus(-900_001)), Ok(until));
    assert_eq!(effective::effective_at(&database, until.plus(-1)), Ok(until.plus(899_999)));
    // Key numbers continue.
    let key = new_key("Next", &["contacts:read"]);
    let command = CreateKey { origin: origin(OWNER), key, secret: SecretHash::from_bytes([9; 32]), once: None };
    let made = keys::create(&database, &keyring(), 7, &command, now).unwrap().key;
    assert_eq!(made.id.open(&keyring(), made.environment).unwrap().number, 6);
    assert_eq!(verify(trail(&database).iter().map(String::as_str)).unwrap().0, 11);
}

#[test]
fn a_workspace_of_the_seventh_schema_is_migrated() {
    let database = opened(include_str!("registry/seventh.sql"));
    // Numbers that may have been used before an import are skipped.
    let key = new_key("Next", &["contacts:read"]);
    let command = CreateKey { origin: origin(OWNER), key, secret: SecretHash::from_bytes([9; 32]), once: None };
    let made = keys::create(&database, &keyring(), 7, &command, NOW.plus(31 * DAY)).unwrap().key;
    assert_eq!(made.id.open(&keyring(), made.environment).unwrap().number, 1_000_005);
    // The master secrets of its first start are accepted.
    assert_eq!(master_check::compare(&database, &keyring()), Ok(Ok(())));
    assert_eq!(count(&database, "master_checks"), 3);
    assert!(exported(&database, NOW.plus(31 * DAY)) > 0);
}
