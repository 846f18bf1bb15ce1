//! Restrictions and notes of a key: integration, networks, channels, start, limits, old secrets.
//! The list shows them in one line, the page of the key in full.

use crate::texts::restrictions as text;
use leptos::prelude::*;
use ownchat_domain::{
    key::{Key, KeySecret},
    limit::Period,
    time::Timestamp,
};

/// Returns the line below the scopes in a row; `None` if nothing restricts the key.
pub fn in_one_line(key: &Key, now: Timestamp) -> Option<AnyView> {
    let line = words(key, now);
    let part = |(place, words): (usize, String)| {
        let separator = (place > 0).then_some(text::SEPARATOR);
        view! { {separator}<bdi>{words}</bdi> }
    };
    (!line.is_empty()).then(|| {
        let parts = line.into_iter().enumerate().map(part).collect_view();
        view! { <span class="hint bounds">{parts}</span> }.into_any()
    })
}

fn words(key: &Key, now: Timestamp) -> Vec<String> {
    let restrictions = &key.restrictions;
    let mut words = Vec::new();
    if !key.integration.is_empty() {
        words.push(key.integration.clone());
    }
    let counts = [
        (restrictions.allow.len(), text::only_from as fn(usize) -> String),
        (restrictions.deny.len(), text::never_from),
        (restrictions.channels.len(), text::only_for),
    ];
    words.extend(counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, say)| say(count)));
    words.extend(key.not_before.filter(|begin| *begin > now).map(|begin| text::starts(&begin.day_and_time())));
    words.extend(rate(key));
    words.extend(quota(key));
    words.extend(old_secrets(key, now).map(|(_, end)| text::old_secret_ends(&end.day_and_time())));
    if !key.metadata.is_empty() {
        words.push(text::notes(key.metadata.len()));
    }
    words
}

/// Returns all restrictions of a key, as pairs of label and value.
pub fn in_full(key: &Key, now: Timestamp) -> Vec<(&'static str, String)> {
    let restrictions = &key.restrictions;
    let listed =
        |list: &[ownchat_domain::network::Network]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut facts = vec![(text::INTEGRATION, key.integration.clone())];
    facts.push((text::ONLY_FROM, listed(&restrictions.allow)));
    facts.push((text::NEVER_FROM, listed(&restrictions.deny)));
    facts.push((text::ONLY_FOR_CHANNELS, restrictions.channels.join(", ")));
    facts.push((text::STARTS, key.not_before.map(Timestamp::day_and_time).unwrap_or_default()));
    facts.push((text::RATE_LIMIT, rate_in_full(key).unwrap_or_default()));
    facts.push((text::QUOTA, quota(key).unwrap_or_default()));
    for (secret, end) in old_secrets(key, now) {
        facts.push((text::OLD_SECRET, text::old_secret(secret.number, &end.day_and_time())));
    }
    let notes: Vec<_> = key.metadata.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    facts.push((text::NOTES, notes.join(", ")));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn rate(key: &Key) -> Option<String> {
    let rate = key.rate_limit?;
    Some(text::rate(rate.limit, rate.window_seconds))
}

/// Returns the rate limit with the calls guaranteed in every window, for any number of isolates.
fn rate_in_full(key: &Key) -> Option<String> {
    let (words, least) = (rate(key)?, key.rate_limit?.guaranteed());
    let promise = (least > 0).then(|| text::guaranteed(least));
    Some(words + &promise.unwrap_or_default())
}

fn quota(key: &Key) -> Option<String> {
    let quota = key.quota?;
    let period = match quota.period {
        Period::Day => text::DAY,
        Period::Month => text::MONTH,
    };
    Some(text::quota(quota.limit, period) + &quota.remaining.map(text::left).unwrap_or_default())
}

/// Returns the secrets that still work but have an end.
fn old_secrets(key: &Key, now: Timestamp) -> impl Iterator<Item = (&KeySecret, Timestamp)> {
    key.secrets.iter().filter_map(move |secret| Some((secret, secret.ends_at.filter(|end| *end > now)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &str) -> Key {
        crate::testing::key(serde_json::from_str(fields).unwrap())
    }

    #[test]
    fn everything_that_restricts_a_key_is_said() {
        let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
        let free = key("{}");
        assert!(words(&free, now).is_empty() && in_full(&free, now).is_empty());
        for (more, line, label, full) in [
            (r#"{"integration":"Shopify"}"#, "Shopify", "Integration", "Shopify"),
            (
                r#"{"restrictions":{"allow":["203.0.113.0/24","2001:db8::/32"],"deny":[],"channels":[]}}"#,
                "only from 2 networks",
                "Only from",
                "203.0.113.0/24, 2001:db8::/32",
            ),
            (
                r#"{"restrictions":{"allow":[],"deny":["203.0.113.7"],"channels":[]}}"#,
                "never from 1 network",
                "Never from",
                "203.0.113.7",
            ),
            (
                r#"{"restrictions":{"allow":[],"deny":[],"channels":["ch_1","ch_2"]}}"#,
                "only for 2 channels",
                "Only for channels",
                "ch_1, ch_2",
            ),
            (
                r#"{"not_before":"2026-11-30T08:00:00Z"}"#,
                "starts 30 Nov 2026, 08:00 UTC",
                "Starts",
                "30 Nov 2026, 08:00 UTC",
            ),
            (
                r#"{"rate_limit":{"limit":10,"window_seconds":60}}"#,
                "10 calls in 60 seconds",
                "Rate limit",
                "10 calls in 60 seconds (at least 9, however they are spread over edge locations)",
            ),
            (
                r#"{"rate_limit":{"limit":1,"window_seconds":1}}"#,
                "1 call in 1 second",
                "Rate limit",
                "1 call in 1 second",
            ),
            (
                r#"{"quota":{"limit":500,"period":"day","remaining":480}}"#,
                "500 calls a day, 480 left",
                "Quota",
                "500 calls a day, 480 left",
            ),
            (
                r#"{"secrets":[{"number":1,"created_at":"2026-11-24T00:00:00Z","ends_at":"2026-11-25T10:00:00Z"},
                {"number":2,"created_at":"2026-11-24T00:00:00Z"}]}"#,
                "old secret ends 25 Nov 2026, 10:00 UTC",
                "Old secret",
                "number 1 works until 25 Nov 2026, 10:00 UTC",
            ),
            (r#"{"metadata":{"team":"ops","till":"7"}}"#, "2 notes", "Notes", "team: ops, till: 7"),
        ] {
            let key = key(more);
            assert_eq!(words(&key, now), [line], "{more}");
            assert_eq!(in_full(&key, now), [(label, full.to_owned())], "{more}");
        }
        // A secret that has ended restricts nothing.
        let ended =
            r#"{"secrets":[{"number":1,"created_at":"2026-11-24T00:00:00Z","ends_at":"2026-11-24T10:00:00Z"}]}"#;
        assert!(words(&key(ended), now).is_empty());
    }
}
