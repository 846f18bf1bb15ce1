//! Tests of requests to create and change a key: accepted values and errors.

use super::*;
use crate::{key::NAME_MAX, limit::Period, testing::scopes};
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn good() -> NewKey {
    NewKey {
        name: " Shop ".into(),
        environment: "live".into(),
        scopes: vec!["contacts:read".into()],
        expires_at: Some("2026-12-31T00:00:00Z".into()),
        ..NewKey::default()
    }
}

fn fields(failure: Failure) -> Vec<String> {
    let Failure::Invalid { errors } = failure else { unreachable!("{failure:?}") };
    errors.into_iter().map(|error| error.field).collect()
}

fn patch(text: serde_json::Value) -> Result<Details, Failure> {
    let patch: KeyPatch = serde_json::from_value(text).unwrap();
    patch.check(NOW)?.apply(&full())
}

/// Returns a key with a value in every field.
fn full() -> Details {
    let key: NewKey = serde_json::from_value(json!({
        "name": "Shop", "description": "Till", "integration": "POS", "environment": "live",
        "scopes": ["contacts:read"], "not_before": "2026-12-01T00:00:00Z", "expires_at": "2026-12-31T00:00:00Z",
        "restrictions": {"allow": ["203.0.113.0/24"], "deny": ["203.0.113.66"], "channels": ["ch_1"]},
        "rate_limit": {"limit": 100, "window_seconds": 60}, "quota": {"limit": 1000, "period": "day"},
        "metadata": {"team": "till", "region": "eu"},
    }))
    .unwrap();
    key.check(NOW).unwrap()
}

#[test]
fn a_good_key_is_taken_as_it_was_meant() {
    let details = good().check(NOW).unwrap();
    assert_eq!(details.name, "Shop");
    assert_eq!(details.scopes, scopes(&["contacts:read"]));
    assert_eq!(details.expires_at, Timestamp::parse("2026-12-31T00:00:00Z"));
    let full = full();
    assert_eq!(full.integration, "POS");
    assert_eq!(full.networks.deny, ["203.0.113.66".parse().unwrap()]);
    assert_eq!(full.limits.rate, Some(RateLimit { limit: 100, window_seconds: 60 }));
    assert_eq!(full.metadata.get("team").map(String::as_str), Some("till"));
}

#[test]
fn every_fault_is_named_at_once() {
    let failure = NewKey {
        name: "x".repeat(10_000),
        description: "d".repeat(501),
        integration: "i".repeat(101),
        environment: "prod".into(),
        not_before: Some("soon".into()),
        expires_at: Some("2026-11-01T00:00:00Z".into()),
        restrictions: RestrictionsPatch {
            allow: Some(Some(vec!["203.0.113.7/24".into(), "x".into()])),
            deny: Some(Some(vec!["10.0.0.0/8".into(); 21])),
            channels: Some(Some(vec!["a b".into()])),
        },
        rate_limit: Some(RateLimit { limit: 0, window_seconds: 60 }),
        quota: Some(Quota { limit: 0, period: Period::Day }),
        ..NewKey::default()
    }
    .check(NOW)
    .unwrap_err();
    assert_eq!(
        fields(failure),
        [
            "name",
            "description",
            "integration",
            "environment",
            "scopes",
            "not_before",
            "expires_at",
            "restrictions.allow[0]",
            "restrictions.allow[1]",
            "restrictions.deny",
            "restrictions.channels",
            "rate_limit.limit",
            "quota.limit",
        ]
    );
}

#[test]
fn a_limit_is_changed_part_by_part() {
    let details = full();
    let after = |patch: &str| {
        let patch: KeyPatch = serde_json::from_str(patch).unwrap();
        patch.check(NOW).unwrap().apply(&details).map(|after| after.limits)
    };
    let was = details.limits;
    assert_eq!(after("{}"), Ok(was));
    assert_eq!(after(r#"{"rate_limit":null,"quota":null}"#), Ok(Limits::default()));
    let (rate, quota) = (was.rate.unwrap(), was.quota.unwrap());
    let faster = Limits { rate: Some(RateLimit { limit: 7, ..rate }), ..was };
    assert_eq!(after(r#"{"rate_limit":{"limit":7}}"#), Ok(faster));
    let monthly = Limits { quota: Some(Quota { period: Period::Month, ..quota }), ..was };
    assert_eq!(after(r#"{"quota":{"period":"month"}}"#), Ok(monthly));
    let unlimited = Details { limits: Limits::default(), ..details.clone() };
    for (patch, field) in [(r#"{"rate_limit":{"limit":7}}"#, "rate_limit"), (r#"{"quota":{}}"#, "quota")] {
        let patch: KeyPatch = serde_json::from_str(patch).unwrap();
        let Err(Failure::Invalid { errors }) = patch.check(NOW).unwrap().apply(&unlimited) else { unreachable!() };
        assert_eq!((errors.len(), errors[0].field.as_str()), (1, field));
    }
    for patch in [r#"{"rate_limit":{"limit":null}}"#, r#"{"quota":{"limit":1,"per":"day"}}"#] {
        assert!(serde_json::from_str::<KeyPatch>(patch).is_err(), "{patch}");
    }
}

#[test]
fn an_unknown_scope_is_named_in_the_message() {
    let failure = NewKey { scopes: vec!["contacts:fly".into()], ..good() }.check(NOW).unwrap_err();
    let Failure::Invalid { errors } = failure else { unreachable!() };
    assert!(errors.iter().any(|error| error.field == "scopes" && error.message.contains("contacts:fly")), "{errors:?}");
}

#[test]
fn an_expiry_is_near_enough_and_not_over() {
    for (end, good_end) in [
        ("2026-11-23T16:46:48Z", false),
        ("2026-11-23T16:46:49Z", true),
        ("2036-11-23T00:00:00Z", true),
        ("2036-11-25T00:00:00Z", false),
        ("soon", false),
    ] {
        let key = NewKey { expires_at: Some(end.into()), ..good() };
        assert_eq!(key.check(NOW).is_ok(), good_end, "{end}");
    }
}

/// Ten calendar years from this time contain three leap days, in 2028, 2032 and 2036.
#[test]
fn ten_calendar_years_are_accepted_and_no_millisecond_more() {
    let now = Timestamp::parse("2026-11-28T12:00:00Z").unwrap();
    let farthest = Some("2036-11-28T12:00:00Z".to_owned());
    let end = NewKey { expires_at: farthest.clone(), ..good() };
    let begin = NewKey { not_before: farthest, expires_at: None, ..good() };
    for key in [begin, end] {
        assert!(key.check(now).is_ok(), "{:?}", key.check(now));
        let Err(Failure::Invalid { errors }) = key.check(now.plus(-1)) else { unreachable!() };
        assert!(errors.iter().all(|error| error.message.contains("more than ten years away")), "{errors:?}");
    }
}

#[test]
fn a_key_begins_before_it_ends() {
    let failure = NewKey { not_before: Some("2026-12-31T00:00:00Z".into()), ..good() }.check(NOW).unwrap_err();
    assert_eq!(fields(failure), ["not_before"]);
    // A patch of one bound is checked against the unchanged other bound.
    assert_eq!(fields(patch(json!({"expires_at": "2026-11-30T00:00:00Z"})).unwrap_err()), ["not_before"]);
}

#[test]
fn a_patch_tells_null_from_absent() {
    assert_eq!(patch(json!({})), Ok(full()));
    let cleared = patch(json!({
        "description": null, "integration": null, "not_before": null, "expires_at": null, "restrictions": null,
        "rate_limit": null, "quota": null, "metadata": null,
    }))
    .unwrap();
    let bare = Details {
        name: "Shop".into(),
        description: String::new(),
        integration: String::new(),
        environment: Environment::Live,
        scopes: scopes(&["contacts:read"]),
        not_before: None,
        expires_at: None,
        networks: Networks::default(),
        channels: Vec::new(),
        limits: Limits::default(),
        metadata: BTreeMap::new(),
    };
    assert_eq!(cleared, bare);
}

#[test]
fn a_patch_reaches_into_objects() {
    let changed = patch(json!({"restrictions": {"deny": null}, "metadata": {"team": null, "owner": "ada"}})).unwrap();
    assert_eq!(changed.networks.allow, full().networks.allow);
    assert!(changed.networks.deny.is_empty());
    let notes: Vec<_> = changed.metadata.keys().map(String::as_str).collect();
    assert_eq!(notes, ["owner", "region"]);
}

#[test]
fn a_patch_is_held_to_the_same_bounds() {
    let wrong = json!({"name": "", "description": "ok", "scopes": [], "expires_at": "soon"});
    assert_eq!(fields(patch(wrong).unwrap_err()), ["name", "scopes", "expires_at"]);
    let many: BTreeMap<String, String> = (0..21).map(|number| (format!("n{number}"), String::new())).collect();
    assert_eq!(fields(patch(json!({"metadata": many})).unwrap_err()), ["metadata"]);
    assert_eq!(fields(patch(json!({"metadata": {"a": "x".repeat(2_048)}})).unwrap_err()), ["metadata"]);
    assert_eq!(fields(patch(json!({"metadata": {"": "x"}})).unwrap_err()), ["metadata"]);
}

#[test]
fn lists_have_no_doubles() {
    let doubled = json!({"restrictions": {"allow": ["10.0.0.1", "10.0.0.1/32"], "channels": ["a", "a", "b"]}});
    let changed = patch(doubled).unwrap();
    assert_eq!((changed.networks.allow.len(), changed.channels.len()), (1, 2));
}

#[test]
fn unknown_fields_are_refused() {
    for text in [
        json!({"name": "a", "admin": true}),
        json!({"restrictions": {"allow": [], "vpn": true}}),
        json!({"rate_limit": {"limit": 1, "window": 1}}),
    ] {
        assert!(serde_json::from_value::<NewKey>(text.clone()).is_err(), "{text}");
    }
    assert!(serde_json::from_value::<KeyPatch>(json!({"version": 2})).is_err());
    for field in ["name", "status", "scopes"] {
        assert!(serde_json::from_value::<KeyPatch>(json!({field: null})).is_err(), "{field} cannot be cleared");
    }
}

#[test]
fn a_file_keeps_the_texts_that_an_earlier_version_has_accepted() {
    let kept = Details { name: "zero\u{200b}width".into(), description: "a\u{ad}b\nc".into(), ..full() };
    assert_eq!(kept.check(), Ok(()));
    for name in ["", " a", "a\nb", "a\u{202e}b", &"x".repeat(NAME_MAX + 1)] {
        assert!(Details { name: name.into(), ..full() }.check().is_err(), "{name:?}");
    }
    assert!(Details { description: "a\0b".into(), ..full() }.check().is_err());
}

/// The error shows the server's time, for a caller whose clock differs.
#[test]
fn an_expiry_in_the_past_is_refused_with_the_server_time() {
    let key = NewKey { expires_at: Some(NOW.rfc3339()), ..good() };
    let Err(Failure::Invalid { errors }) = key.check(NOW) else { unreachable!() };
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    assert!(message.contains(&NOW.rfc3339()), "{message}");
}
