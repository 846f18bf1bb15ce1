//! Calling keys: which are authenticated, and what each may do to itself and to others.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        duplicate, end_secrets, explain, keys,
        kv_replica::memory::expect_ready,
        list,
        meters::memory::MemoryMeters,
        restore, rotate, settings,
        testing::{NOW, OWNER, WORKSPACE, count, create, keyring, new_key, origin, workspace},
        transfer,
    },
    rpc::CommandError,
};
use ownchat_domain::{
    audit::{ActorId, Line, csv, verify},
    digest::SecretHash,
    explain::{Case, Target},
    idempotency::{BodyHash, Idempotency},
    key::{Key, KeyPatch, KeyQuery, NewKey},
    scope::ScopeSet,
    time::DAY,
    vault::{
        KeyCaller,
        registry::{
            ChangeKey, ChangeSettings, CreateKey, DeleteKey, DuplicateKey, EndOldSecrets, ExplainCall, Issued,
            ListKeys, ReadKey, ReadSettings, ReadTrail, RestoreKey, RotateKey, TrailQuery,
        },
        transfer::ReadExport,
    },
    verdict::Code,
};

/// Secret hash of every key that [`create`] makes.
const SECRET: SecretHash = SecretHash::from_bytes([3; 32]);
const NEW: SecretHash = SecretHash::from_bytes([4; 32]);

fn with_secret(key: &Key, secret: SecretHash) -> Caller {
    Caller::Key(KeyCaller { id: key.id, secret, address: "192.0.2.1".parse().ok() })
}

fn of(key: &Key) -> Caller {
    with_secret(key, SECRET)
}

/// Returns the outcome code of an authentication.
fn code(database: &MemoryDatabase, caller: &Caller, now: Timestamp) -> Code {
    match authenticate(database, &keyring(), caller, now) {
        Ok(_) => Code::Valid,
        Err(CommandError::Failure(Failure::KeyRefused { code, .. })) => code,
        Err(other) => unreachable!("{other:?}"),
    }
}

fn patch(database: &MemoryDatabase, caller: impl Into<Caller>, key: &Key, changes: &str) -> CommandResult<Key> {
    let patch: KeyPatch = serde_json::from_str(changes).unwrap();
    let version = keys::read(database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW)?.version;
    let command = ChangeKey { origin: origin(caller), id: key.id, version, patch };
    keys::change(database, &command, NOW).map(|outcome| outcome.key)
}

fn make(database: &MemoryDatabase, caller: Caller, scopes: &[&str], once: Option<&str>) -> CommandResult<Issued> {
    let once = once.map(|name| Idempotency { key: name.parse().unwrap(), body: BodyHash::of(b"{}") });
    let command = CreateKey { origin: origin(caller), key: new_key("Made", scopes), secret: NEW, once };
    keys::create(database, &keyring(), WORKSPACE, &command, NOW)
}

fn rotate(database: &MemoryDatabase, caller: Caller, key: &Key, overlap_seconds: u32) -> CommandResult<Key> {
    let version = keys::read(database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW)?.version;
    let command = RotateKey {
        origin: origin(caller),
        id: key.id,
        version,
        overlap_seconds,
        end_earlier: true,
        secret: NEW,
        once: None,
    };
    rotate::rotate(database, &keyring(), &command, NOW).map(|outcome| outcome.key)
}

#[test]
fn a_key_is_authenticated_by_the_rules_of_the_edge() {
    let lives = NewKey {
        not_before: Some(NOW.rfc3339()),
        expires_at: Some(NOW.plus(DAY).rfc3339()),
        restrictions: serde_json::from_str(r#"{"allow":["192.0.2.0/24"]}"#).unwrap(),
        ..new_key("Bot", &["keys:self"])
    };
    let database = workspace();
    let key = create(&database, lives, NOW).unwrap();
    let caller = of(&key);
    assert_eq!(code(&database, &caller, NOW), Code::Valid);
    assert_eq!(code(&database, &OWNER.into(), NOW), Code::Valid);
    assert_eq!(code(&database, &caller, NOW.plus(-1_000)), Code::NotYetValid);
    assert_eq!(code(&database, &caller, NOW.plus(DAY)), Code::Expired);
    for address in [None, "203.0.113.9".parse().ok()] {
        let elsewhere = Caller::Key(KeyCaller { id: key.id, secret: SECRET, address });
        assert_eq!(code(&database, &elsewhere, NOW), Code::AddressForbidden);
    }
    let change =
        ChangeSettings { origin: origin(OWNER), version: 1, suspended: Some(true), outage_seconds: None, reason: None };
    settings::change(&database, &change, NOW).unwrap();
    assert_eq!(code(&database, &caller, NOW), Code::WorkspaceSuspended);
    settings::change(&database, &ChangeSettings { version: 2, suspended: Some(false), ..change }, NOW).unwrap();
    patch(&database, OWNER, &key, r#"{"status":"inactive"}"#).unwrap();
    assert_eq!(code(&database, &caller, NOW), Code::Inactive);
}

#[test]
fn a_wrong_secret_a_deleted_key_and_no_key_look_the_same() {
    let database = workspace();
    let key = create(&database, new_key("Bot", &["keys:self"]), NOW).unwrap();
    let gone = create(&database, new_key("Gone", &["keys:self"]), NOW).unwrap();
    keys::delete(&database, &DeleteKey { origin: origin(OWNER), id: gone.id, version: 1 }, NOW).unwrap();
    let nobody = KeyCaller { id: "0123456789abcdef".parse().unwrap(), secret: SECRET, address: None };
    let refusals = [with_secret(&key, NEW), of(&gone), Caller::Key(nobody)]
        .map(|caller| authenticate(&database, &keyring(), &caller, NOW).unwrap_err());
    let expected = CommandError::Failure(Failure::from(Denial::Unknown));
    assert_eq!(
        refusals,
        [&expected; 3].map(|error| match error {
            CommandError::Failure(failure) => CommandError::Failure(failure.clone()),
            CommandError::Database(error) => CommandError::Database(error.clone()),
        })
    );
}

fn letter<T>(result: CommandResult<T>) -> char {
    match result {
        Ok(_) => 'y',
        Err(CommandError::Failure(Failure::NotHeld { .. })) => 'h',
        Err(CommandError::Failure(Failure::ScopeMissing { .. })) => 'n',
        Err(CommandError::Failure(Failure::NotFound)) => '?',
        Err(other) => unreachable!("{other:?}"),
    }
}

type CommandOfKey = fn(&MemoryDatabase, Caller, &Key) -> char;

fn explained(database: &MemoryDatabase, caller: Caller, key: &Key) -> char {
    let wanted = Target::Scopes(ScopeSet::default(), None);
    let case = Case { wanted, address: None, environment: None, at: None, cost: None };
    let command = ExplainCall { caller, id: key.id, secret: None, case };
    letter(expect_ready(explain::explain_call(database, &keyring(), &MemoryMeters::default(), &command, NOW)))
}

fn copied(database: &MemoryDatabase, caller: Caller, key: &Key) -> char {
    let differences = KeyPatch::default();
    let command =
        DuplicateKey { origin: origin(caller), id: key.id, differences, environment: None, secret: NEW, once: None };
    letter(duplicate::duplicate(database, &keyring(), WORKSPACE, &command, NOW))
}

fn restored(database: &MemoryDatabase, caller: Caller, key: &Key) -> char {
    let version = keys::read(database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW).unwrap().version;
    keys::delete(database, &DeleteKey { origin: origin(OWNER), id: key.id, version }, NOW).unwrap();
    letter(restore::restore(database, &RestoreKey { origin: origin(caller), id: key.id }, NOW))
}

fn trail_of(database: &MemoryDatabase, caller: Caller, key: &Key) -> char {
    let query = TrailQuery { key: Some(key.id), ..TrailQuery::default() };
    letter(list::trail(database, &ReadTrail { caller, query }, NOW))
}

/// Each text has two results: of the command on the calling key, and on another key. `y` is
/// allowed, `n` lacks a scope, `h` would grant what it does not hold, `?` sees no such key.
///
/// Columns: `keys:self`, `keys:read`, `keys:write`, `keys:write` with `keys:self`, `audit:read`.
#[test]
fn every_command_of_a_key_has_its_rule() {
    let held: [&[&str]; 5] =
        [&["keys:self"], &["keys:read"], &["keys:write"], &["keys:write", "keys:self"], &["audit:read"]];
    let commands: [(&str, CommandOfKey, [&str; 5]); 12] = [
        (
            "read",
            |database, caller, key| letter(keys::read(database, &ReadKey { caller, id: key.id }, NOW)),
            ["y?", "yy", "yy", "yy", "??"],
        ),
        ("explain", explained, ["y?", "yy", "yy", "yy", "??"]),
        (
            "rename",
            |database, caller, key| letter(patch(database, caller, key, r#"{"name":"Other"}"#)),
            ["n?", "nn", "yy", "yy", "??"],
        ),
        (
            "deactivate",
            |database, caller, key| letter(patch(database, caller, key, r#"{"status":"inactive"}"#)),
            ["y?", "nn", "yy", "yy", "??"],
        ),
        (
            "widen",
            |database, caller, key| letter(patch(database, caller, key, r#"{"scopes":["keys:write","keys:self"]}"#)),
            ["n?", "nn", "hh", "yh", "??"],
        ),
        (
            "grant beyond its scopes",
            |database, caller, key| letter(patch(database, caller, key, r#"{"scopes":["messages:send"]}"#)),
            ["n?", "nn", "hh", "hh", "??"],
        ),
        ("rotate", |database, caller, key| letter(rotate(database, caller, key, 60)), ["y?", "nn", "hh", "yy", "??"]),
        (
            "end old secrets",
            |database, caller, key| {
                letter(end_secrets::end_old_secrets(
                    database,
                    &EndOldSecrets { origin: origin(caller), id: key.id },
                    NOW,
                ))
            },
            ["y?", "nn", "yy", "yy", "??"],
        ),
        (
            "delete",
            |database, caller, key| {
                let version = keys::read(database, &ReadKey { caller: OWNER.into(), id: key.id }, NOW).unwrap().version;
                letter(keys::delete(database, &DeleteKey { origin: origin(caller), id: key.id, version }, NOW))
            },
            ["n?", "nn", "yy", "yy", "??"],
        ),
        ("restore", restored, ["n?", "nn", "hh", "hy", "??"]),
        ("duplicate", copied, ["nn", "nn", "hh", "hy", "nn"]),
        ("trail", trail_of, ["n?", "nn", "nn", "nn", "yy"]),
    ];
    for (name, run, expected) in commands {
        for (held, expected) in held.iter().zip(expected) {
            let found: String = [true, false]
                .iter()
                .map(|itself| {
                    let database = workspace();
                    let caller = create(&database, new_key("Bot", held), NOW).unwrap();
                    let another = create(&database, new_key("Shop", &["keys:self"]), NOW).unwrap();
                    // A deleted key is never authenticated; the rule is the same.
                    run(&database, of(&caller), if *itself { &caller } else { &another })
                })
                .collect();
            assert_eq!(found, expected, "{name} with {held:?}");
        }
    }
}

#[test]
fn every_command_about_no_key_has_its_rule() {
    for (held, listed, settings, made) in [
        ("keys:self", 'y', 'n', 'n'),
        ("keys:read", 'y', 'n', 'n'),
        ("keys:write", 'y', 'n', 'y'),
        ("audit:read", 'n', 'n', 'n'),
        ("account:read", 'n', 'y', 'n'),
        ("contacts:read", 'n', 'n', 'n'),
    ] {
        let database = workspace();
        let key = create(&database, new_key("Bot", &[held, "contacts:write"]), NOW).unwrap();
        create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        let caller = of(&key);
        let page = list::list(&database, &ListKeys { caller, query: KeyQuery::default() }, NOW);
        if let Ok(page) = &page {
            assert_eq!(page.data.len(), if held == "keys:self" { 1 } else { 2 }, "{held}");
        }
        assert_eq!(letter(page), listed, "{held}");
        assert_eq!(letter(settings::read(&database, &ReadSettings { caller }, NOW)), settings, "{held}");
        let whole = ReadTrail { caller, query: TrailQuery::default() };
        assert_eq!(letter(list::trail(&database, &whole, NOW)) == 'y', held == "audit:read", "{held}");
        assert_eq!(letter(make(&database, caller, &["contacts:read"], None)), made, "{held}");
        assert_eq!(letter(transfer::read(&database, &ReadExport { origin: origin(caller), after: None }, NOW)), 'n');
    }
}

#[test]
fn a_key_grants_neither_keys_write_nor_more_than_it_holds() {
    let database = workspace();
    let maker = create(&database, new_key("Maker", &["keys:write", "contacts:write"]), NOW).unwrap();
    let keys = count(&database, "keys");
    for scopes in [&["keys:write"][..], &["contacts:read", "keys:write"], &["messages:send"], &["keys:self"]] {
        let Err(CommandError::Failure(Failure::NotHeld { required, held })) = make(&database, of(&maker), scopes, None)
        else {
            unreachable!("{scopes:?}")
        };
        assert!(!held.allows_all(required));
    }
    assert_eq!(count(&database, "keys"), keys);
    assert!(make(&database, of(&maker), &["contacts:read", "keys:read"], None).is_ok(), "write includes read");
    // The scopes at the time of the command count.
    patch(&database, OWNER, &maker, r#"{"scopes":["keys:write"]}"#).unwrap();
    assert_eq!(letter(make(&database, of(&maker), &["contacts:read"], None)), 'h');
}

#[test]
fn a_line_names_the_key_and_the_chain_holds() {
    let database = workspace();
    let maker = create(&database, new_key("Maker", &["keys:write", "contacts:read", "audit:read"]), NOW).unwrap();
    let made = make(&database, of(&maker), &["contacts:read"], None).unwrap().key;
    assert_eq!(made.created_by, format!("Maker (key {})", maker.id));
    patch(&database, OWNER, &maker, r#"{"name":"Renamed"}"#).unwrap();
    patch(&database, of(&maker), &made, r#"{"status":"inactive"}"#).unwrap();
    let run = |actor: Option<ActorId>| {
        let query = TrailQuery { actor, ..TrailQuery::default() };
        list::trail(&database, &ReadTrail { caller: of(&maker), query }, NOW).unwrap().lines
    };
    let lines = run(None);
    assert_eq!(verify(lines.iter().map(String::as_str)).unwrap().0, 4);
    let by_key = run(Some(ActorId::Key(maker.id)));
    let names: Vec<Line> = by_key.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(names.iter().map(|line| line.actor_name.as_str()).collect::<Vec<_>>(), ["Maker", "Renamed"]);
    assert!(by_key[0].contains(&format!("\"actor\":\"key:{}\"", maker.id)), "{}", by_key[0]);
    assert_eq!(run(Some(ActorId::Person(OWNER))).len(), 2);
    assert!(csv(&by_key).contains(&format!("\"key:{}\",\"Maker\"", maker.id)));
}

#[test]
fn idempotency_keys_of_a_key_and_a_person_do_not_collide() {
    let database = workspace();
    let maker = create(&database, new_key("Maker", &["keys:write", "contacts:read"]), NOW).unwrap();
    let by = |caller| make(&database, caller, &["contacts:read"], Some("a")).unwrap();
    let (person, key) = (by(OWNER.into()), by(of(&maker)));
    assert!(!person.replayed && !key.replayed && person.key.id != key.key.id);
    assert_eq!(by(OWNER.into()).key.id, person.key.id);
    let again = by(of(&maker));
    assert!(again.replayed && again.key.id == key.key.id);
}

#[test]
fn a_key_that_ended_itself_is_refused() {
    let database = workspace();
    let key = create(&database, new_key("Bot", &["keys:self"]), NOW).unwrap();
    rotate(&database, of(&key), &key, 60).unwrap();
    assert_eq!(code(&database, &of(&key), NOW.plus(59_999)), Code::Valid);
    assert_eq!(code(&database, &of(&key), NOW.plus(60_000)), Code::Expired);
    let new = with_secret(&key, NEW);
    let end = EndOldSecrets { origin: origin(new), id: key.id };
    assert!(end_secrets::end_old_secrets(&database, &end, NOW).unwrap().narrowed);
    assert_eq!((code(&database, &of(&key), NOW), code(&database, &new, NOW)), (Code::Expired, Code::Valid));
    patch(&database, new, &key, r#"{"status":"inactive"}"#).unwrap();
    assert_eq!(code(&database, &new, NOW), Code::Inactive);
}
