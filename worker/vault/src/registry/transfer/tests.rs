//! An import restores the exported workspace, or changes nothing.

mod loss;

use super::*;
use crate::{
    database::memory::MemoryDatabase,
    registry::{
        feed_outbox::pending,
        keys, rotate,
        rows::{find, record},
        session_events,
        testing::{NOW, OWNER, STRANGER, WORKSPACE, count, create, keyring, new_key, origin, workspace},
        walk::Walk,
    },
    rpc::CommandError,
};
use ownchat_domain::{
    audit::verify,
    checks::{AccessRequest, decide},
    digest::SecretHash,
    key::NewKey,
    transfer::LineHash,
    vault::{
        Caller, KeyCaller,
        registry::{ChangeKey, CreateKey, DeleteKey, RecordSessionEvent, RotateKey},
    },
};

/// The exported file, without its last line.
fn parts(database: &impl Database) -> Vec<String> {
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let part = read(database, &ReadExport { origin: origin(OWNER), after }, NOW).unwrap();
        assert!(part.lines.len() <= PART as usize + 1, "a part is bounded");
        lines.extend(part.lines);
        after = part.next;
        if after.is_none() {
            return lines;
        }
    }
}

fn exported(database: &impl Database) -> Vec<String> {
    ended(parts(database))
}

fn ended(mut lines: Vec<String>) -> Vec<String> {
    let mut hash = LineHash::default();
    for line in &lines {
        hash.add(line);
    }
    lines.push(ExportLine::End(hash.trailer()).write());
    lines
}

fn staged(database: &impl Database, lines: &[String]) -> CommandResult<()> {
    let mut first = 1;
    for lines in lines.chunks(64) {
        let lines = lines.to_vec();
        let length = lines.len() as u64;
        stage(database, &StageImport { origin: origin(OWNER), first, lines }, NOW)?;
        first += length;
    }
    Ok(())
}

fn imported(database: &impl Database, lines: &[String]) -> CommandResult<Imported> {
    staged(database, lines)?;
    finish(database, &keyring(), &FinishImport { origin: origin(OWNER) }, NOW)
}

/// Every row of every table of a workspace.
fn everything(database: &MemoryDatabase) -> String {
    let tables = ["workspace", "members", "keys", "secrets", "trail", "outbox", "announcements", "staged"];
    let rows = tables.map(|table| database.run(&format!("SELECT * FROM {table}"), &[]).unwrap());
    format!("{rows:?}")
}

#[test]
fn an_import_exports_the_same_bytes() {
    for seed in 0..4 {
        let mut walk = Walk::begin(seed);
        for _ in 0..800 {
            walk.step();
        }
        let file = exported(&walk.database);
        assert_eq!(exported(&walk.database), file, "an export is no change");
        let other = workspace();
        let counts = imported(&other, &file).unwrap();
        assert_eq!(i64::try_from(counts.keys).unwrap(), count(&walk.database, "keys"));
        assert!(counts.trail > 100);
        assert_eq!(exported(&other), file, "seed {seed}");
        // A second transfer gives the same bytes.
        let third = workspace();
        imported(&third, &exported(&other)).unwrap();
        assert_eq!(exported(&third), file);
    }
}

#[test]
fn lines_of_a_key_export_the_same_bytes() {
    let database = workspace();
    let maker = create(&database, new_key("Maker", &["keys:write", "contacts:read"]), NOW).unwrap();
    let secret = SecretHash::from_bytes([3; 32]);
    let caller = Caller::Key(KeyCaller { id: maker.id, secret, address: None });
    let key = new_key("Made", &["contacts:read"]);
    let command = CreateKey { origin: origin(caller), key, secret, once: None };
    let made = keys::create(&database, &keyring(), WORKSPACE, &command, NOW).unwrap().key;
    let file = exported(&database);
    let other = workspace();
    imported(&other, &file).unwrap();
    assert_eq!(exported(&other), file);
    let row = find(&other, made.id).unwrap().unwrap();
    assert_eq!((row.created_by, row.owner), (format!("Maker (key {})", maker.id), None));
}

/// The trail continues that of the file, and logs the import and its actor.
#[test]
fn export_and_import_are_logged_in_the_trail() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let file = exported(&database);
    let other = workspace();
    imported(&other, &file).unwrap();
    create(&other, new_key("Store", &["contacts:read"]), NOW).unwrap();
    exported(&other);
    let lines = trail::lines(&other, &LineFilter { limit: 100, ..LineFilter::default() }).unwrap();
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    let action = |line: &String| serde_json::from_str::<Line>(line).unwrap().action;
    let actions: Vec<Action> = lines.iter().map(action).collect();
    assert_eq!(actions, [Action::Create, Action::Import, Action::Create, Action::Export]);
    assert!(verify(lines.iter().map(String::as_str)).is_ok());
    assert!(lines[1].contains("\"sha256\":\"") && lines[1].contains("\"lines\":3"), "{}", lines[1]);
    // A line before a later change is in the file; the last line is not.
    assert_eq!(exported(&other).iter().filter(|line| line.starts_with("{\"line\":")).count(), 3);
}

#[test]
fn no_damaged_file_changes_anything() {
    let mut walk = Walk::begin(7);
    for _ in 0..60 {
        walk.step();
    }
    let good = exported(&walk.database);
    let other = workspace();
    let before = everything(&other);
    let refused = |lines: &[String], what: &str| {
        let error = imported(&other, lines).unwrap_err();
        let CommandError::Failure(Failure::Invalid { errors }) = error else { panic!("{what}: {error:?}") };
        assert!(errors[0].field.starts_with("line "), "{what}: {errors:?}");
        assert_eq!(everything(&other), before, "{what}");
    };
    for place in 0..good.len() {
        let mut without = good.clone();
        without.remove(place);
        refused(&without, "a line is missing");
        let mut altered = good.clone();
        let middle = altered[place].len() / 2;
        let other = if &altered[place][middle..=middle] == "0" { "1" } else { "0" };
        altered[place].replace_range(middle..=middle, other);
        refused(&altered, "a letter was altered");
        if place + 1 < good.len() {
            let mut swapped = good.clone();
            swapped.swap(place, place + 1);
            refused(&swapped, "lines were swapped");
        }
        refused(&good[..place], "the end is missing");
        // A wrong line is found even if the sum matches.
        if place > 0 && place + 1 < good.len() {
            let mut twice: Vec<String> = good[..good.len() - 1].to_vec();
            twice.insert(place, good[place].clone());
            refused(&ended(twice), "a line is repeated");
        }
    }
    assert!(imported(&other, &good).is_ok());
}

#[test]
fn a_file_of_another_workspace_or_keyring_is_refused() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let file = exported(&database);
    let other = workspace();
    other.run("UPDATE workspace SET number = 8", &[]).unwrap();
    assert!(format!("{:?}", imported(&other, &file)).contains("this is workspace 8"));
    let other = workspace();
    staged(&other, &file).unwrap();
    let ring = Keyring::parse("1:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=").unwrap();
    let result = finish(&other, &ring, &FinishImport { origin: origin(OWNER) }, NOW);
    assert!(format!("{result:?}").contains("master secret"), "{result:?}");
    assert_eq!((count(&other, "keys"), count(&other, "staged")), (0, 0));
}

#[test]
fn an_import_needs_an_untouched_workspace() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let file = exported(&database);
    let before = everything(&database);
    assert!(format!("{:?}", imported(&database, &file)).contains("nothing was ever done"));
    assert_eq!(everything(&database), before);
    let other = workspace();
    imported(&other, &file).unwrap();
    assert!(imported(&other, &file).is_err(), "a second import is refused");
}

#[test]
fn a_stranger_neither_exports_nor_imports() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let file = exported(&database);
    let stranger = || origin(STRANGER);
    let nothing = || CommandError::from(Failure::NotFound);
    assert_eq!(read(&database, &ReadExport { origin: stranger(), after: None }, NOW).unwrap_err(), nothing());
    let other = workspace();
    assert_eq!(stage(&other, &StageImport { origin: stranger(), first: 1, lines: file }, NOW), Err(nothing()));
    assert_eq!(finish(&other, &keyring(), &FinishImport { origin: stranger() }, NOW), Err(nothing()));
}

#[test]
fn only_an_owner_exports_or_imports() {
    let database = workspace();
    // A later version may have other roles.
    database.run("DROP TABLE members", &[]).unwrap();
    database.run("CREATE TABLE members (person TEXT, name TEXT, role TEXT)", &[]).unwrap();
    database.run("INSERT INTO members VALUES (?, 'Bob', 'admin')", &[OWNER.to_string().into()]).unwrap();
    let forbidden = || CommandError::from(Failure::Forbidden);
    assert_eq!(read(&database, &ReadExport { origin: origin(OWNER), after: None }, NOW).unwrap_err(), forbidden());
    assert_eq!(staged(&database, &["x".into()]), Err(forbidden()));
    assert_eq!(finish(&database, &keyring(), &FinishImport { origin: origin(OWNER) }, NOW), Err(forbidden()));
}

#[test]
fn every_field_of_a_key_is_imported() {
    let database = workspace();
    let key: NewKey = serde_json::from_str(
        r#"{"name":"Shop","description":"one\ntwo","integration":"Web","environment":"test",
        "scopes":["contacts:read","messages:send"],"not_before":"2026-12-01T00:00:00.125Z",
        "expires_at":"2027-12-01T00:00:00Z","restrictions":{"allow":["203.0.113.0/24","2001:db8::/32"],
        "deny":["203.0.113.66"],"channels":["ch_1","ch_2"]},"rate_limit":{"limit":5,"window_seconds":10},
        "quota":{"limit":500,"period":"month"},"metadata":{"team":"commerce","café":"\u0001\"x\""}}"#,
    )
    .unwrap();
    let made = create(&database, key, NOW).unwrap();
    let patch = serde_json::from_str(r#"{"status":"inactive","reason":"leaked"}"#).unwrap();
    let command = ChangeKey { origin: origin(OWNER), id: made.id, version: 1, patch };
    keys::change(&database, &command, NOW).unwrap();
    let secret = SecretHash::from_bytes([4; 32]);
    let command = RotateKey {
        origin: origin(OWNER),
        id: made.id,
        version: 2,
        overlap_seconds: 60,
        end_earlier: true,
        secret,
        once: None,
    };
    rotate::rotate(&database, &keyring(), &command, NOW).unwrap();
    let other = workspace();
    imported(&other, &exported(&database)).unwrap();
    assert_eq!(find(&other, made.id).unwrap(), find(&database, made.id).unwrap());
    let sealed = |database| record(database, made.id, NOW).unwrap().unwrap().seal(&keyring()).unwrap();
    assert_eq!(sealed(&other), sealed(&database), "digests included");
}

#[test]
fn a_part_is_bounded_in_bytes_too() {
    let database = workspace();
    for _ in 0..60 {
        create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    }
    database.run("UPDATE keys SET description = ?", &["x".repeat(100_000).into()]).unwrap();
    let (mut sizes, mut lines, mut after) = (Vec::new(), 0, None);
    loop {
        let part = read(&database, &ReadExport { origin: origin(OWNER), after }, NOW).unwrap();
        sizes.push(part.lines.iter().map(String::len).sum::<usize>());
        lines += part.lines.len();
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    assert!(sizes.iter().all(|size| *size < PART_BYTES + 200_000), "{sizes:?}");
    assert_eq!(lines, 1 + 60 + 60);
}

/// Parts from before and after a change do not make one file.
#[test]
fn a_change_during_an_export_is_detected() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let first = read(&database, &ReadExport { origin: origin(OWNER), after: None }, NOW).unwrap();
    let next = ReadExport { origin: origin(OWNER), after: first.next };
    assert!(read(&database, &next, NOW).is_ok());
    exported(&database);
    assert!(read(&database, &next, NOW).is_ok(), "another export is no change");
    create(&database, new_key("Store", &["contacts:read"]), NOW).unwrap();
    assert_eq!(read(&database, &next, NOW).unwrap_err(), Failure::Stale.into());
}

#[test]
fn of_two_concurrent_imports_one_must_restart() {
    let database = workspace();
    create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let file = exported(&database);
    let other = workspace();
    let part = |first: u64, lines: &[String]| StageImport { origin: origin(OWNER), first, lines: lines.to_vec() };
    stage(&other, &part(1, &file[..2]), NOW).unwrap();
    stage(&other, &part(1, &file[..1]), NOW).unwrap();
    assert_eq!(stage(&other, &part(3, &file[2..]), NOW), Err(Failure::Stale.into()));
    stage(&other, &part(2, &file[1..]), NOW).unwrap();
    assert!(finish(&other, &keyring(), &FinishImport { origin: origin(OWNER) }, NOW).is_ok());
}

#[test]
fn a_file_that_is_too_long_changes_nothing() {
    let (source, database) = (workspace(), workspace());
    create(&source, new_key("Kept", &["contacts:read"]), NOW).unwrap();
    let staged_up_to = |number: u64| {
        let number = i64::try_from(number).unwrap();
        database.run("DELETE FROM staged", &[]).unwrap();
        database.run("INSERT INTO staged (number, line, at) VALUES (?, '', 0)", &[number.into()]).unwrap();
    };
    let part = |first| StageImport { origin: origin(OWNER), first, lines: vec![String::new(); 2] };
    staged_up_to(LINES_MAX - 2);
    assert_eq!(stage(&database, &part(LINES_MAX - 1), NOW), Ok(()));
    staged_up_to(LINES_MAX - 1);
    let before = everything(&database);
    assert_eq!(stage(&database, &part(LINES_MAX), NOW), Err(Failure::from(too_long()).into()));
    assert_eq!(everything(&database), before);
    // A staged file does not block another one.
    assert_eq!(imported(&database, &exported(&source)).unwrap().keys, 1);
}

#[test]
fn exporting_an_empty_workspace_leaves_it_untouched() {
    let source = workspace();
    create(&source, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let empty = workspace();
    assert_eq!(exported(&empty), exported(&empty));
    assert_eq!(count(&empty, "trail"), 0);
    assert_eq!(imported(&empty, &exported(&source)).unwrap().keys, 1);
    // Exports are logged from now on.
    let before = count(&empty, "trail");
    exported(&empty);
    assert_eq!(count(&empty, "trail"), before + 1);
}

/// A new column must be exported or derived.
#[test]
fn every_column_is_exported_or_derived() {
    const MADE_ANEW: [&str; 4] = ["published_at", "published_master", "issuer", "searched"];
    let database = workspace();
    let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
    let columns = |table: &str| -> Vec<String> {
        let rows = database.run(&format!("SELECT name FROM pragma_table_info('{table}')"), &[]).unwrap();
        rows.into_iter().map(|mut row| row.text().unwrap()).collect()
    };
    let file = exported(&database);
    let json: serde_json::Value =
        serde_json::from_str(file.iter().find(|line| line.contains(&key.id.to_string())).unwrap()).unwrap();
    let of_key = |name: &str| json.pointer(&format!("/key/{name}")).is_some() || MADE_ANEW.contains(&name);
    for name in columns("keys") {
        assert!(of_key(&name), "column {name} of keys is not in an export");
    }
    for name in columns("secrets").into_iter().filter(|name| name != "key") {
        assert!(json.pointer(&format!("/key/secrets/0/{name}")).is_some(), "column {name} of secrets");
    }
    let json: serde_json::Value = serde_json::from_str(&file[0]).unwrap();
    // The state of edges and of a former loss is not part of a workspace.
    let of_edges = ["id", "patient_seconds", "patient_until", "next_key"];
    for name in columns("workspace").into_iter().filter(|name| !of_edges.contains(&name.as_str())) {
        let name = if name == "number" { "workspace".into() } else { name };
        assert!(json.pointer(&format!("/export/{name}")).is_some(), "column {name} of workspace");
    }
}

#[test]
fn session_events_follow_the_file_and_are_not_exported() {
    let from = workspace();
    create(&from, new_key("One", &["contacts:read"]), NOW).unwrap();
    let file = exported(&from);
    let to = workspace();
    let (address, request_id) = ("192.0.2.1".to_owned(), "r1".to_owned());
    let signed_in = RecordSessionEvent { person: OWNER, action: Action::SignIn, address, request_id };
    session_events::record(&to, &signed_in, NOW).unwrap();
    assert!(imported(&to, &file).is_ok(), "somebody signed in before");
    session_events::record(&to, &signed_in, NOW).unwrap();
    assert_eq!(exported(&to), file);
    let lines: Vec<String> = trail::lines(&to, &LineFilter { limit: 9, ..LineFilter::default() })
        .unwrap()
        .into_iter()
        .map(|line| line.1)
        .collect();
    assert!(verify(lines.iter().map(String::as_str)).is_ok());
    let with = |word: &str| lines.iter().position(|line| line.contains(word));
    assert_eq!((with("key.create"), with("session.sign_in"), with("workspace.import")), (Some(0), Some(1), Some(2)));
}
