//! Generators of JSON, from arbitrary values to nearly valid keys.

use crate::good::NOW;
use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value};

/// Arbitrary JSON with names and texts that some request type knows.
pub fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        3 => proptest::sample::select(vec![
            "name", "description", "integration", "environment", "scopes", "status", "reason", "not_before",
            "expires_at", "restrictions", "allow", "deny", "channels", "rate_limit", "limit", "window_seconds",
            "quota", "period", "metadata", "secret_sha256", "cursor", "q", "sort", "key", "actor", "action", "from",
            "to", "email", "password", "token", "workspace",
        ]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    let text = prop_oneof![
        2 => proptest::sample::select(vec![
            "", "live", "test", "active", "inactive", "contacts:read", "messages:send", "203.0.113.0/24", "::/0",
            "::ffff:1.2.3.4/96", "2027-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00Z", "day",
            "month", "ch_1", "newest", "as8FHY0XIyuzLdLz", "key.rotate", "a@b.example",
        ]).prop_map(str::to_owned),
        1 => ".{0,120}",
    ];
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (0..100i64).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..30).prop_map(Value::from),
            3 => vec((name.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A key or a patch, mostly valid, up to the limits and slightly beyond.
pub fn near_draft() -> impl Strategy<Value = Value> {
    let texts = |one: &'static str, most: usize| vec(one, 0..most).prop_map(Value::from);
    let text = prop_oneof![
        4 => "[a-z]{1,12}",
        1 => ".{0,120}",
        1 => (0..600usize).prop_map(|length| "é".repeat(length)),
    ];
    let moment = (any::<bool>(), 0..8_000i64).prop_map(|(is_none, days)| {
        let moment = NOW.plus(days * 86_400_000).rfc3339();
        if is_none { Value::Null } else { moment.into() }
    });
    let channel = prop_oneof![3 => "[a-z_]{1,10}", 1 => "[a-z_-]{0,70}"];
    let restrictions = (
        texts("[0-9]{1,2}\\.0\\.0\\.0/8", 24),
        texts("[0-9a-f]{1,4}::/16", 24),
        vec(channel, 0..54).prop_map(Value::from),
    )
        .prop_map(|(allow, deny, channels)| serde_json::json!({"allow": allow, "deny": deny, "channels": channels}));
    let number = || prop_oneof![1..100u32, any::<u32>()];
    let rate =
        (number(), number()).prop_map(|(limit, window)| serde_json::json!({"limit": limit, "window_seconds": window}));
    let quota = number().prop_map(|limit| serde_json::json!({"limit": limit, "period": "month"}));
    let notes = vec(("[a-z]{1,6}", prop_oneof!["[a-z]{0,9}", "[a-z]{0,400}"]), 0..24)
        .prop_map(|notes| Value::Object(notes.into_iter().map(|(name, value)| (name, value.into())).collect()));
    let fields: Vec<(&str, BoxedStrategy<Value>)> = vec![
        ("name", text.clone().prop_map(Value::from).boxed()),
        ("description", text.clone().prop_map(Value::from).boxed()),
        ("integration", text.prop_map(Value::from).boxed()),
        ("scopes", Just(serde_json::json!(["contacts:read", "messages:send"])).boxed()),
        ("not_before", moment.clone().boxed()),
        ("expires_at", moment.boxed()),
        ("restrictions", restrictions.boxed()),
        ("rate_limit", rate.boxed()),
        ("quota", quota.boxed()),
        ("metadata", notes.boxed()),
    ];
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, good)| {
            let value = prop_oneof![4 => Just(None), 8 => good.prop_map(Some), 1 => any_json().prop_map(Some)];
            value.prop_map(move |value| (name, value))
        })
        .collect();
    (fields, any::<bool>()).prop_map(|(fields, is_new)| {
        let mut body = Map::new();
        if is_new {
            body.insert("name".into(), "Shop".into());
            body.insert("environment".into(), "live".into());
            body.insert("scopes".into(), serde_json::json!(["contacts:read"]));
        }
        body.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(body)
    })
}
