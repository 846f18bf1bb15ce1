//! Contents of lists and pages.

use super::*;
use crate::database::memory::MemoryDatabase;
use crate::registry::{
    keys,
    testing::{NOW, OWNER, STRANGER, create, new_key, origin, workspace},
};
use ownchat_domain::{
    environment::Environment,
    key::{NewKey, RESTORE_WITHIN, Sort, StatusFilter},
    vault::registry::{ChangeKey, DeleteKey},
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

fn names(database: &MemoryDatabase, query: KeyQuery) -> Vec<String> {
    let page = list(database, &ListKeys { caller: OWNER.into(), query }, NOW.plus(10)).unwrap();
    page.data.into_iter().map(|key| key.name).collect()
}

fn filled() -> MemoryDatabase {
    let database = workspace();
    create(&database, new_key("CRM sync", &["contacts:write"]), NOW).unwrap();
    create(&database, NewKey { environment: "test".into(), ..new_key("100% off", &["messages:send"]) }, NOW).unwrap();
    let short = NewKey { expires_at: Some(NOW.plus(5).rfc3339()), ..new_key("Report", &["analytics:read"]) };
    create(&database, NewKey { description: "Monthly FIGURES".into(), ..short }, NOW).unwrap();
    database
}

#[test]
fn the_newest_comes_first_by_default() {
    let database = filled();
    assert_eq!(names(&database, KeyQuery::default()), ["Report", "100% off", "CRM sync"]);
    let oldest = KeyQuery { sort: Sort::Oldest, ..KeyQuery::default() };
    assert_eq!(names(&database, oldest), ["CRM sync", "100% off", "Report"]);
}

#[test]
fn filters_select_matching_keys() {
    let database = filled();
    let all = KeyQuery::default;
    assert_eq!(names(&database, KeyQuery { status: Some(StatusFilter::Inactive), ..all() }), ["Report"], "expired");
    assert_eq!(names(&database, KeyQuery { status: Some(StatusFilter::Active), ..all() }), ["100% off", "CRM sync"]);
    assert_eq!(names(&database, KeyQuery { environment: Some(Environment::Test), ..all() }), ["100% off"]);
    let scope = Some("messages:send".parse().unwrap());
    assert_eq!(names(&database, KeyQuery { scope, ..all() }), ["100% off"]);
}

#[test]
fn a_search_covers_name_description_and_id_literally() {
    let database = filled();
    let search = |text: &str| names(&database, KeyQuery { q: Some(text.into()), ..KeyQuery::default() });
    assert_eq!(search("crm"), ["CRM sync"]);
    assert_eq!(search("figures"), ["Report"]);
    assert_eq!(search("%"), ["100% off"]);
    assert_eq!(search("'; DROP TABLE keys; --"), Vec::<String>::new());
    assert_eq!(search(" "), ["Report", "100% off", "CRM sync"]);
    let page = list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, NOW).unwrap();
    let prefix = page.data.first().unwrap().prefix.clone();
    assert_eq!(search(&prefix), ["Report"], "the shown prefix of a key finds it");
    assert_eq!(search(&prefix.to_uppercase().replace("OC_LIVE_", "")), ["Report"], "an id in another case");
}

#[test]
fn a_search_ignores_case_unicode_form_and_word_order() {
    let database = workspace();
    for name in ["Müller GmbH", "İstanbul şube", "Продажи 7", "Cafe\u{301}"] {
        create(&database, new_key(name, &["contacts:read"]), NOW).unwrap();
    }
    let search = |text: &str| names(&database, KeyQuery { q: Some(text.into()), ..KeyQuery::default() });
    assert_eq!(search("MÜLLER"), ["Müller GmbH"]);
    assert_eq!(search("gmbh mu\u{308}ller"), ["Müller GmbH"]);
    assert_eq!(search("istanbul"), ["İstanbul şube"]);
    assert_eq!(search("7 ПРОДАЖИ"), ["Продажи 7"]);
    assert_eq!(search("CAFÉ"), ["Cafe\u{301}"]);
    assert_eq!(search("müller istanbul"), Vec::<String>::new(), "every word must match");
    // A short word occurs in many ids by chance.
    database.run("UPDATE keys SET searched = 'abcdefghijklmnop' || char(10) || 'shop' WHERE number = 1", &[]).unwrap();
    assert_eq!((search("defg"), search("def")), (vec!["Müller GmbH".into()], Vec::<String>::new()));
    assert_eq!(search("sho"), ["Müller GmbH"]);
    let many = KeyQuery { q: Some("a ".repeat(17)), ..KeyQuery::default() };
    let refused = list(&database, &ListKeys { caller: OWNER.into(), query: many }, NOW);
    assert!(matches!(refused, Err(CommandError::Failure(Failure::Invalid { errors })) if errors[0].field == "q"));
}

#[test]
fn a_search_finds_the_current_name_only() {
    let database = filled();
    let key =
        list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, NOW).unwrap().data.remove(0);
    let patch = serde_json::from_str(r#"{"name":"Ärzte"}"#).unwrap();
    let command = ChangeKey { origin: origin(OWNER), id: key.id, version: 1, patch };
    keys::change(&database, &command, NOW).unwrap();
    let search = |text: &str| names(&database, KeyQuery { q: Some(text.into()), ..KeyQuery::default() });
    assert_eq!(search("ärzte"), ["Ärzte"]);
    assert_eq!(search("report"), Vec::<String>::new());
}

#[test]
fn keys_without_search_text_are_backfilled() {
    let database = filled();
    database.run("UPDATE keys SET searched = NULL", &[]).unwrap();
    crate::registry::schema::apply(&database).unwrap();
    assert_eq!(names(&database, KeyQuery { q: Some("crm".into()), ..KeyQuery::default() }), ["CRM sync"]);
}

#[test]
fn deleted_keys_are_listed_as_long_as_they_can_be_restored() {
    let database = filled();
    let deleted = KeyQuery { status: Some(StatusFilter::Deleted), ..KeyQuery::default() };
    assert_eq!(names(&database, deleted.clone()), Vec::<String>::new());
    let key =
        list(&database, &ListKeys { caller: OWNER.into(), query: KeyQuery::default() }, NOW).unwrap().data.remove(0);
    keys::delete(&database, &DeleteKey { origin: origin(OWNER), id: key.id, version: 1 }, NOW).unwrap();
    assert_eq!(names(&database, deleted.clone()), ["Report"]);
    assert_eq!(names(&database, KeyQuery::default()), ["100% off", "CRM sync"]);
    assert_eq!(
        names(&database, KeyQuery { status: Some(StatusFilter::Inactive), ..KeyQuery::default() }),
        Vec::<String>::new()
    );
    let at = |now| list(&database, &ListKeys { caller: OWNER.into(), query: deleted.clone() }, now).unwrap().data.len();
    assert_eq!((at(NOW.plus(RESTORE_WITHIN - 1)), at(NOW.plus(RESTORE_WITHIN))), (1, 0));
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let database = workspace();
    for number in 1..=7 {
        create(&database, new_key(&number.to_string(), &["contacts:read"]), NOW).unwrap();
    }
    for sort in [Sort::Newest, Sort::Oldest] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let query = KeyQuery { cursor, limit: Some(3), sort, ..KeyQuery::default() };
            let page = list(&database, &ListKeys { caller: OWNER.into(), query }, NOW).unwrap();
            seen.extend(page.data.into_iter().map(|key| key.name));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let mut expected: Vec<_> = (1..=7).map(|number: i32| number.to_string()).collect();
        if sort == Sort::Newest {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn bad_limits_and_cursors_are_refused() {
    let database = workspace();
    for query in [
        KeyQuery { limit: Some(0), ..KeyQuery::default() },
        KeyQuery { limit: Some(101), ..KeyQuery::default() },
        KeyQuery { cursor: Some("x".into()), ..KeyQuery::default() },
        KeyQuery { cursor: Some("zzzzzz".into()), ..KeyQuery::default() },
    ] {
        assert!(list(&database, &ListKeys { caller: OWNER.into(), query: query.clone() }, NOW).is_err(), "{query:?}");
    }
}

#[test]
fn a_stranger_sees_nothing() {
    let database = filled();
    let command = ListKeys { caller: STRANGER.into(), query: KeyQuery::default() };
    assert_eq!(list(&database, &command, NOW), Err(Failure::NotFound.into()));
}

/// `PROVE=1` runs a hundred times as many cases. A failing case is stored beside this file; commit
/// it.
fn config() -> ProptestConfig {
    let cases = if std::env::var_os("PROVE").is_some() { 20_000 } else { 200 };
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/src/registry/list/regressions");
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct(kept)) as _);
    ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() }
}

/// Six-digit texts, most of them key numbers, and others.
fn cursors() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..5u128).prop_map(|number| base62::encode(number, CURSOR_LENGTH)),
        any::<u32>().prop_map(|number| base62::encode(number.into(), CURSOR_LENGTH)),
        (u128::from(u32::MAX) - 1..u128::from(u32::MAX) + 3).prop_map(|number| base62::encode(number, CURSOR_LENGTH)),
        "[0-9A-Za-z]{0,40}",
        "[0-9]{5}.",
        ".{0,10}",
        ("[0z9\"%]", 0..65_536usize).prop_map(|(one, times)| one.repeat(times)),
    ]
}

thread_local! {
    static FILLED: MemoryDatabase = filled();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_cursor_is_handled(cursor in cursors(), oldest: bool) {
        let sort = if oldest { Sort::Oldest } else { Sort::Newest };
        let query = KeyQuery { cursor: Some(cursor.clone()), sort, ..KeyQuery::default() };
        let command = ListKeys { caller: OWNER.into(), query };
        let result = FILLED.with(|database| list(database, &command, NOW.plus(10)));
        let number = base62::decode(&cursor).filter(|number| cursor.len() == 6 && *number <= u32::MAX.into());
        let Some(number) = number else {
            prop_assert_eq!(result, Err(Failure::field("cursor", NOT_A_CURSOR).into()));
            return Ok(());
        };
        let all = [(1, "CRM sync"), (2, "100% off"), (3, "Report")];
        let mut behind: Vec<&str> =
            all.iter().filter(|(at, _)| if oldest { *at > number } else { *at < number }).map(|(_, name)| *name).collect();
        if !oldest {
            behind.reverse();
        }
        let page = result.unwrap();
        prop_assert_eq!(page.data.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), behind);
        prop_assert_eq!(page.next_cursor, None);
    }
}
