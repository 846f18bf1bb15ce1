//! Tests of the scope table and the evaluator.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

/// Pinned: names and bits are in stores and in customers' code and never change. New rows go here.
const PINNED: &[(&str, u8)] = &[
    ("contacts:read", 0),
    ("contacts:write", 1),
    ("contacts:delete", 2),
    ("contacts:import", 3),
    ("contacts:export", 4),
    ("contacts:pii", 5),
    ("conversations:read", 6),
    ("conversations:write", 7),
    ("conversations:assign", 8),
    ("conversations:delete", 9),
    ("conversations:export", 10),
    ("messages:read", 11),
    ("messages:send", 12),
    ("messages:send_template", 13),
    ("messages:delete", 14),
    ("templates:read", 15),
    ("templates:write", 16),
    ("templates:submit", 17),
    ("templates:delete", 18),
    ("campaigns:read", 19),
    ("campaigns:write", 20),
    ("campaigns:send", 21),
    ("campaigns:cancel", 22),
    ("media:read", 23),
    ("media:upload", 24),
    ("media:delete", 25),
    ("channels:read", 26),
    ("channels:write", 27),
    ("automations:read", 28),
    ("automations:write", 29),
    ("automations:run", 30),
    ("webhooks:read", 31),
    ("webhooks:write", 32),
    ("events:read", 33),
    ("analytics:read", 34),
    ("reports:export", 35),
    ("team:read", 36),
    ("team:write", 37),
    ("account:read", 38),
    ("account:write", 39),
    ("billing:read", 40),
    ("audit:read", 41),
    ("keys:self", 42),
    ("keys:read", 43),
    ("keys:write", 44),
    ("keys:verify", 45),
];

#[test]
fn names_and_bits_never_change() {
    let table: Vec<_> = TABLE.iter().map(|row| (row.name, row.bit)).collect();
    assert_eq!(table, PINNED);
}

#[test]
fn bits_are_unique_and_fit_the_stores() {
    let bits: HashSet<_> = TABLE.iter().map(|row| row.bit).collect();
    assert_eq!(bits.len(), TABLE.len());
    assert!(bits.iter().all(|bit| *bit < 53), "JavaScript carries 53 bits of a number");
}

#[test]
fn names_are_resource_and_action_of_a_group() {
    for row in &TABLE {
        let (resource, action) = row.name.split_once(':').unwrap();
        let words = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(words(resource) && words(action), "{}", row.name);
        assert_eq!(GROUPS.iter().filter(|group| group.resources.contains(&resource)).count(), 1, "{}", row.name);
        let texts = row.name.parse::<Scope>().unwrap().texts();
        assert!(!texts.title.is_empty() && texts.description.ends_with('.'), "{}", row.name);
    }
}

#[test]
fn only_write_implies_another_scope_read_of_its_resource() {
    for row in &TABLE {
        let (resource, action) = row.name.split_once(':').unwrap();
        let expected = (action == "write").then(|| format!("{resource}:read"));
        assert_eq!(row.gives.map(str::to_owned), expected, "{}", row.name);
        assert!(row.gives.is_none_or(|name| name.parse::<Scope>().is_ok()), "{}", row.name);
    }
}

#[test]
fn presets_name_scopes() {
    for preset in PRESETS {
        assert!(ScopeSet::from_names(preset.scopes.iter().copied()).is_ok(), "{}", preset.name);
    }
}

#[test]
fn the_set_that_asks_about_keys_is_one_scope() {
    assert_eq!(ScopeSet::VERIFY.names(), ["keys:verify"]);
}

#[test]
fn unknown_names_and_bits_are_refused() {
    assert_eq!(ScopeSet::from_names(["contacts:read", "contacts:*"]), Err(UnknownScope("contacts:*".into())));
    assert_eq!(ScopeSet::from_names(["*"]), Err(UnknownScope("*".into())));
    assert_eq!(ScopeSet::from_bits(1 << 63), None);
    assert_eq!(ScopeSet::from_bits(0b11).unwrap().names(), ["contacts:read", "contacts:write"]);
    assert_eq!("x".repeat(10_000).parse::<Scope>().unwrap_err().0.len(), 60, "an error does not repeat a book");
}

#[test]
fn a_set_is_a_list_of_names_in_json() {
    let set: ScopeSet = serde_json::from_str(r#"["contacts:write","contacts:read","contacts:read"]"#).unwrap();
    assert_eq!(serde_json::to_string(&set).unwrap(), r#"["contacts:read","contacts:write"]"#);
    assert!(serde_json::from_str::<ScopeSet>(r#"["contacts:fly"]"#).is_err());
}

/// A slow reference model of the evaluator, with names instead of bits.
fn model(granted: &HashSet<&str>, required: &str) -> bool {
    let resource = required.strip_suffix(":read");
    granted.contains(required)
        || resource.is_some_and(|resource| granted.contains(format!("{resource}:write").as_str()))
}

proptest! {
    #[test]
    fn the_evaluator_agrees_with_the_model(
        granted in proptest::collection::hash_set(0..TABLE.len(), 0..TABLE.len()),
        required in proptest::collection::hash_set(0..TABLE.len(), 0..6),
    ) {
        let names: HashSet<&str> = granted.iter().map(|row| TABLE[*row].name).collect();
        let wanted: HashSet<&str> = required.iter().map(|row| TABLE[*row].name).collect();
        let set = ScopeSet::from_names(names.iter().copied()).unwrap();
        let required = ScopeSet::from_names(wanted.iter().copied()).unwrap();
        for scope in Scope::all() {
            prop_assert_eq!(set.allows(scope), model(&names, scope.name()), "{}", scope);
        }
        let missing: HashSet<&str> = wanted.iter().copied().filter(|name| !model(&names, name)).collect();
        let named: Vec<String> = set.missing(required).names();
        prop_assert_eq!(named.iter().map(String::as_str).collect::<HashSet<_>>(), missing.clone());
        prop_assert_eq!(set.allows_all(required), missing.is_empty());
    }
}
