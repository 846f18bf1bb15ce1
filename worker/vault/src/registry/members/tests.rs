//! Authorization of every command, role by role, on own keys and on others'.

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        duplicate, end_secrets, explain, keys,
        kv_replica::memory::expect_ready,
        list,
        meters::memory::MemoryMeters,
        purge, restore, rotate,
        schema::{FIRST, apply},
        settings,
        testing::{NOW, OWNER, WORKSPACE, count, create, keyring, new_key, origin, workspace},
    },
    rpc::CommandError,
};
use ownchat_domain::{
    digest::SecretHash,
    explain::{Case, Target},
    key::{Key, KeyPatch, KeyQuery, NewKey},
    scope::ScopeSet,
    time::DAY,
    vault::registry::{
        ChangeKey, ChangeSettings, CreateKey, DeleteKey, DuplicateKey, EndOldSecrets, ExplainCall, ListKeys, ReadKey,
        ReadSettings, ReadTrail, RestoreKey, RotateKey, TrailQuery,
    },
};

const ME: PersonId = PersonId(9);

/// A workspace in which I have this role.
fn with(role: Role) -> MemoryDatabase {
    let database = workspace();
    let values = [ME.to_string().into(), role.as_str().into()];
    database.run("INSERT INTO members (person, name, role) VALUES (?, 'Me', ?)", &values).unwrap();
    database
}

/// A key of a person, rotated once.
fn key_of(database: &MemoryDatabase, owner: PersonId, scopes: &[&str]) -> Key {
    let key = create(database, new_key("Shop", scopes), NOW).unwrap();
    let rotated = rotate::rotate(database, &keyring(), &rotation(OWNER, &key, 60), NOW).unwrap().key;
    database
        .run("UPDATE keys SET owner = ? WHERE locator = ?", &[owner.to_string().into(), key.id.to_string().into()])
        .unwrap();
    rotated
}

fn rotation(person: PersonId, key: &Key, overlap_seconds: u32) -> RotateKey {
    let secret = SecretHash::from_bytes([4; 32]);
    RotateKey {
        origin: origin(person),
        id: key.id,
        version: key.version,
        overlap_seconds,
        end_earlier: true,
        secret,
        once: None,
    }
}

fn letter<T>(result: CommandResult<T>) -> char {
    match result {
        Ok(_) => 'y',
        Err(CommandError::Failure(Failure::Forbidden | Failure::NotHeld { .. })) => 'n',
        Err(CommandError::Failure(Failure::NotFound)) => '?',
        Err(other) => unreachable!("{other:?}"),
    }
}

type CommandOfMember = fn(&MemoryDatabase, &Key) -> char;

fn patched(database: &MemoryDatabase, key: &Key, patch: &str) -> char {
    let patch: KeyPatch = serde_json::from_str(patch).unwrap();
    letter(keys::change(database, &ChangeKey { origin: origin(ME), id: key.id, version: key.version, patch }, NOW))
}

fn duplicated(database: &MemoryDatabase, key: &Key) -> char {
    let command = DuplicateKey {
        origin: origin(ME),
        id: key.id,
        differences: KeyPatch::default(),
        environment: None,
        secret: SecretHash::from_bytes([5; 32]),
        once: None,
    };
    letter(duplicate::duplicate(database, &keyring(), WORKSPACE, &command, NOW))
}

fn explained(database: &MemoryDatabase, key: &Key) -> char {
    let case =
        Case { wanted: Target::Scopes(ScopeSet::EMPTY, None), address: None, environment: None, at: None, cost: None };
    let command = ExplainCall { caller: ME.into(), id: key.id, secret: None, case };
    letter(expect_ready(explain::explain_call(database, &keyring(), &MemoryMeters::default(), &command, NOW)))
}

fn restored(database: &MemoryDatabase, key: &Key) -> char {
    keys::delete(database, &DeleteKey { origin: origin(OWNER), id: key.id, version: key.version }, NOW).unwrap();
    letter(restore::restore(database, &RestoreKey { origin: origin(ME), id: key.id }, NOW))
}

/// Columns: owner, admin, developer, viewer.
#[test]
fn every_command_on_a_key_has_its_rule() {
    let commands: [(&str, CommandOfMember, &str, &str); 11] = [
        (
            "read",
            |database, key| letter(keys::read(database, &ReadKey { caller: ME.into(), id: key.id }, NOW)),
            "yyyy",
            "yy?y",
        ),
        ("explain", explained, "yyyy", "yy?y"),
        ("rename", |database, key| patched(database, key, r#"{"name":"Other"}"#), "yyyn", "yy?n"),
        ("deactivate", |database, key| patched(database, key, r#"{"status":"inactive"}"#), "yyyn", "yy?n"),
        (
            "widen",
            |database, key| patched(database, key, r#"{"scopes":["contacts:read","messages:send"]}"#),
            "yyyn",
            "yy?n",
        ),
        (
            "grant beyond the role",
            |database, key| patched(database, key, r#"{"scopes":["contacts:read","billing:read"]}"#),
            "ynnn",
            "yn?n",
        ),
        ("duplicate", duplicated, "yyyn", "yy?n"),
        (
            "rotate",
            |database, key| letter(rotate::rotate(database, &keyring(), &rotation(ME, key, 0), NOW)),
            "yyyn",
            "yy?n",
        ),
        (
            "end old secrets",
            |database, key| {
                let command = EndOldSecrets { origin: origin(ME), id: key.id };
                letter(end_secrets::end_old_secrets(database, &command, NOW))
            },
            "yyyn",
            "yy?n",
        ),
        (
            "delete",
            |database, key| {
                letter(keys::delete(database, &DeleteKey { origin: origin(ME), id: key.id, version: key.version }, NOW))
            },
            "yyyn",
            "yy?n",
        ),
        ("restore", restored, "yyyn", "yy?n"),
    ];
    for (name, run, own, others) in commands {
        for (owner, expected) in [(ME, own), (OWNER, others)] {
            let found: String = Role::ALL
                .iter()
                .map(|role| {
                    let database = with(*role);
                    let key = key_of(&database, owner, &["contacts:read"]);
                    let lines = count(&database, "trail") + i64::from(name == "restore");
                    let outcome = run(&database, &key);
                    let changed = count(&database, "trail") > lines;
                    assert!(outcome == 'y' || !changed, "{name}: refused, but something changed");
                    outcome
                })
                .collect();
            assert_eq!(found, expected, "{name}, own: {}", owner == ME);
        }
    }
}

#[test]
fn every_other_command_has_its_rule() {
    let key = |name: &str, scopes: &[&str]| CreateKey {
        origin: origin(ME),
        key: new_key(name, scopes),
        secret: SecretHash::from_bytes([5; 32]),
        once: None,
    };
    let found =
        |run: &dyn Fn(&MemoryDatabase) -> char| -> String { Role::ALL.iter().map(|role| run(&with(*role))).collect() };
    let made = |scopes: &'static [&'static str]| {
        found(&|database| letter(keys::create(database, &keyring(), WORKSPACE, &key("Shop", scopes), NOW)))
    };
    assert_eq!(made(&["contacts:read"]), "yyyn");
    assert_eq!(made(&["billing:read"]), "ynnn");
    assert_eq!(made(&["keys:write"]), "yynn");
    assert_eq!(found(&|database| letter(settings::read(database, &ReadSettings { caller: ME.into() }, NOW))), "yyyy");
    let change = |database: &MemoryDatabase| {
        let (suspended, reason) = (Some(true), None);
        let command = ChangeSettings { origin: origin(ME), version: 1, suspended, outage_seconds: None, reason };
        letter(settings::change(database, &command, NOW))
    };
    assert_eq!(found(&change), "ynnn");
    let trail = |key: Option<&Key>, database: &MemoryDatabase| {
        let query = TrailQuery { key: key.map(|key| key.id), ..TrailQuery::default() };
        letter(list::trail(database, &ReadTrail { caller: ME.into(), query }, NOW))
    };
    assert_eq!(found(&|database| trail(None, database)), "yyny");
    assert_eq!(found(&|database| trail(Some(&key_of(database, ME, &["contacts:read"])), database)), "yyyy");
    assert_eq!(found(&|database| trail(Some(&key_of(database, OWNER, &["contacts:read"])), database)), "yy?y");
    let purged = |database: &MemoryDatabase| {
        let key = key_of(database, OWNER, &["contacts:read"]);
        let delete = DeleteKey { origin: origin(OWNER), id: key.id, version: key.version };
        keys::delete(database, &delete, NOW).unwrap();
        assert_eq!(purge::purge(database, NOW.plus(30 * DAY)).unwrap().keys.len(), 1);
        trail(Some(&key), database)
    };
    assert_eq!(found(&purged), "yy?y", "a purged key looks like somebody else's");
}

#[test]
fn a_developer_lists_only_their_own_keys() {
    for (role, expected) in [(Role::Admin, 2), (Role::Developer, 1), (Role::Viewer, 2)] {
        let database = with(role);
        let own = key_of(&database, ME, &["contacts:read"]);
        key_of(&database, OWNER, &["contacts:read"]);
        let page = list::list(&database, &ListKeys { caller: ME.into(), query: KeyQuery::default() }, NOW).unwrap();
        assert_eq!(page.data.len(), expected, "{role:?}");
        assert!(page.data.iter().any(|key| key.id == own.id));
    }
}

#[test]
fn the_creator_of_a_key_owns_it() {
    let database = with(Role::Developer);
    let secret = SecretHash::from_bytes([5; 32]);
    let command = CreateKey { origin: origin(ME), key: new_key("Shop", &["contacts:read"]), secret, once: None };
    let key = keys::create(&database, &keyring(), WORKSPACE, &command, NOW).unwrap().key;
    assert_eq!(letter(keys::read(&database, &ReadKey { caller: ME.into(), id: key.id }, NOW)), 'y');
    assert_eq!(duplicated(&database, &key), 'y');
}

#[test]
fn a_lost_role_cannot_grant_scopes_again() {
    let database = with(Role::Admin);
    let key = key_of(&database, ME, &["audit:read"]);
    patched(&database, &key, r#"{"status":"inactive"}"#);
    database.run("UPDATE members SET role = 'developer' WHERE name = 'Me'", &[]).unwrap();
    let key = keys::read(&database, &ReadKey { caller: ME.into(), id: key.id }, NOW).unwrap();
    assert_eq!(patched(&database, &key, r#"{"status":"active"}"#), 'n');
    assert_eq!(letter(rotate::rotate(&database, &keyring(), &rotation(ME, &key, 0), NOW)), 'n');
    assert_eq!(restored(&database, &key), 'n');
}

#[test]
fn full_access_needs_a_reason_and_an_expiry() {
    let database = workspace();
    let full = ScopeSet::full().names();
    let names: Vec<&str> = full.iter().map(String::as_str).collect();
    assert!(create(&database, new_key("All", &names), NOW).is_err());
    let key = NewKey {
        reason: Some(" moving house ".into()),
        expires_at: Some(NOW.plus(30 * DAY).rfc3339()),
        ..new_key("All", &names)
    };
    let made = create(&database, key, NOW).unwrap();
    let mut row = database.first("SELECT line FROM trail", &[]).unwrap().unwrap();
    assert!(row.text().unwrap().contains(r#""reason":"moving house""#));
    let never: KeyPatch = serde_json::from_str(r#"{"expires_at":null}"#).unwrap();
    let command = ChangeKey { origin: origin(OWNER), id: made.id, version: 1, patch: never };
    assert!(matches!(keys::change(&database, &command, NOW), Err(CommandError::Failure(Failure::Invalid { .. }))));
}

#[test]
fn keys_from_before_roles_belong_to_their_creator() {
    let database = MemoryDatabase::open();
    crate::migrate::migrate(&database, &[FIRST]).unwrap();
    for sql in [
        "INSERT INTO workspace (id, number, name) VALUES (1, 7, 'Shop')",
        "INSERT INTO members (person, name, role) VALUES ('0000000000000001', 'Ada', 'owner')",
        "INSERT INTO keys (number, locator, environment, name, description, scopes, active, created_at, created_by, \
         updated_at, version) VALUES (1, 'JCgnh3DhfKRFKbvX', 'live', 'Shop', '', 1, 1, 5, 'Ada', 5, 1), \
         (2, 'OUbshx82gywrkBsn', 'live', 'Shop', '', 1, 1, 5, 'Somebody', 5, 1)",
    ] {
        database.run(sql, &[]).unwrap();
    }
    apply(&database).unwrap();
    assert_eq!(member(&database, &OWNER.into()).unwrap().principal, Actor::Person(OWNER, Role::Owner));
    let owner = |id: &str| find(&database, id.parse().unwrap()).unwrap().unwrap().owner;
    assert_eq!((owner("JCgnh3DhfKRFKbvX"), owner("OUbshx82gywrkBsn")), (Some(OWNER), None));
}
