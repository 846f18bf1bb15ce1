//! Fuzz tests of JSON request bodies.

use crate::{
    bounds::within,
    drafts::{any_json, near_draft},
    good::{NOW, config, one_in, some},
};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    explain::ExplainRequest,
    json::{self, BODY_MAX},
    key::{
        CHANNELS_MAX, DESCRIPTION_MAX, Details, KeyPatch, KeyQuery, METADATA_BYTES_MAX, METADATA_MAX, NAME_MAX,
        NewDuplicate, NewKey,
    },
    limit::{LIMIT_MAX, WINDOW_MAX},
    network::LIST_MAX,
    vault::{registry::TrailQuery, usage::UsageQuery},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::DeserializeOwned;
use unicode_segmentation::UnicodeSegmentation;

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    within(body, || json::read(body).ok())
}

/// Parses a body as every request type.
fn read_as_all(body: &[u8]) {
    let _ = (read::<NewKey>(body), read::<KeyPatch>(body), read::<NewDuplicate>(body), read::<ExplainRequest>(body));
    let _ = (read::<KeyQuery>(body), read::<TrailQuery>(body), read::<UsageQuery>(body));
    let _ = (read::<SetupRequest>(body), read::<SignInRequest>(body));
}

/// A body up to the maximum length: one repeated piece, alone or in a matching field.
fn long_body() -> impl Strategy<Value = String> {
    let around = select(vec![
        ("", ""),
        (r#"{"name":""#, r#""}"#),
        (r#"{"scopes":["#, r#""a"]}"#),
        (r#"{"metadata":{"#, r#""z":"z"}}"#),
        (r#"{"restrictions":{"allow":["#, r#""::1"]}}"#),
        (r#"{"restrictions":{"channels":["#, r#""a"]}}"#),
        (r#"{"x":["#, "0]}"),
        (r#"{"x":""#, r#""}"#),
    ]);
    let piece = prop_oneof![
        select(vec![
            "[",
            "{\"a\":",
            "0",
            "[],",
            "0,",
            "1e9",
            "\"a\",",
            "\"::1\",",
            "\"a\":\"b\",",
            "\\u0000",
            "\\\"",
            "\\ud83d\\ude00",
            "é",
            " ",
            "a",
            "\"contacts:read\",",
            "-",
        ])
        .prop_map(str::to_owned),
        ".{1,6}",
    ];
    (around, piece, 0..=BODY_MAX).prop_map(|((before, after), piece, length)| {
        let times = length.saturating_sub(before.len() + after.len()) / piece.len();
        format!("{before}{}{after}", piece.repeat(times))
    })
}

/// Returns true if accepted details keep every limit.
fn is_bounded(details: &Details) -> bool {
    let characters = |text: &str| text.graphemes(true).count();
    let notes: usize = details.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    (1..=NAME_MAX).contains(&characters(&details.name))
        && characters(&details.description) <= DESCRIPTION_MAX
        && characters(&details.integration) <= NAME_MAX
        && !details.scopes.is_empty()
        && details.networks.allow.len() <= LIST_MAX
        && details.networks.deny.len() <= LIST_MAX
        && details.channels.len() <= CHANNELS_MAX
        && details.limits.rate.is_none_or(|rate| rate.limit <= LIMIT_MAX && rate.window_seconds <= WINDOW_MAX)
        && details.limits.quota.is_none_or(|quota| quota.limit <= LIMIT_MAX)
        && details.metadata.len() <= METADATA_MAX
        && notes <= METADATA_BYTES_MAX
}

#[test]
fn keys_and_other_bodies_are_tried() {
    let drafts = some(&near_draft());
    let keys = drafts.iter().filter_map(|draft| json::read::<NewKey>(draft.to_string().as_bytes()).ok());
    let (good, bad): (Vec<_>, Vec<_>) = keys.map(|key| key.check(NOW)).partition(Result::is_ok);
    assert!(good.len() > 5 && bad.len() > 30, "{} {}", good.len(), bad.len());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn json_bodies(value in prop_oneof![1 => any_json(), 3 => near_draft()]) {
        let body = value.to_string().into_bytes();
        if let Some(key) = read::<NewKey>(&body)
            && let Ok(details) = within(&body, || key.check(NOW))
        {
            prop_assert!(is_bounded(&details), "{:?}", details);
            prop_assert!(details.check().is_ok());
        }
        if let Some(patch) = read::<KeyPatch>(&body)
            && let Ok(changes) = within(&body, || patch.check(NOW))
        {
            let before: NewKey =
                serde_json::from_str(r#"{"name":"Shop","environment":"live","scopes":["contacts:read"]}"#).unwrap();
            if let Ok(details) = changes.apply(&before.check(NOW).unwrap()) {
                prop_assert!(is_bounded(&details), "{:?}", details);
            }
        }
        if let Some(request) = read::<ExplainRequest>(&body) {
            let _ = within(&body, || request.read().is_ok());
        }
        read_as_all(&body);
    }

    #[test]
    fn bytes_that_are_no_json(body in vec(any::<u8>(), 0..300), depth in 0..5_000usize) {
        read_as_all(&body);
        let deep = format!("{{\"metadata\":{}", "[".repeat(depth));
        prop_assert!(read::<NewKey>(deep.as_bytes()).is_none());
    }
}

proptest! {
    #![proptest_config(one_in(5))]

    #[test]
    fn long_bodies(body in long_body()) {
        prop_assert!(body.len() <= BODY_MAX);
        let body = body.into_bytes();
        read_as_all(&body);
        if let Some(key) = read::<NewKey>(&body) {
            let _ = within(&body, || key.check(NOW));
        }
    }
}
