//! Bodies of requests.

use crate::{
    drafts::{any_json, near_draft},
    good::{NOW, config},
};
use ownchat_domain::{
    account::{SetupRequest, SignInRequest},
    json,
    key::{
        CHANNELS_MAX, DESCRIPTION_MAX, Details, KeyPatch, KeyQuery, METADATA_BYTES_MAX, METADATA_MAX, NAME_MAX, NewKey,
    },
    limit::{LIMIT_MAX, WINDOW_MAX},
    network::LIST_MAX,
    vault::registry::TrailQuery,
};
use proptest::{collection::vec, prelude::*};
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    json::read(body).ok()
}

/// What was accepted keeps every bound.
fn is_bounded(details: &Details) -> bool {
    let characters = |text: &str| text.chars().count();
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

proptest! {
    #![proptest_config(config())]

    #[test]
    fn json_bodies(value in prop_oneof![1 => any_json(), 3 => near_draft()]) {
        let body = value.to_string().into_bytes();
        if let Some(key) = read::<NewKey>(&body)
            && let Ok(details) = key.check(NOW)
        {
            prop_assert!(is_bounded(&details), "{:?}", details);
            prop_assert!(details.check().is_ok());
        }
        if let Some(patch) = read::<KeyPatch>(&body)
            && let Ok(changes) = patch.check(NOW)
        {
            let before: NewKey =
                serde_json::from_str(r#"{"name":"Shop","environment":"live","scopes":["contacts:read"]}"#).unwrap();
            if let Ok(details) = changes.apply(&before.check(NOW).unwrap()) {
                prop_assert!(is_bounded(&details), "{:?}", details);
            }
        }
        let _ = (read::<KeyQuery>(&body), read::<TrailQuery>(&body));
        let _ = (read::<SetupRequest>(&body), read::<SignInRequest>(&body));
    }

    #[test]
    fn bytes_that_are_no_json(body in vec(any::<u8>(), 0..300), depth in 0..5_000usize) {
        let _ = (read::<NewKey>(&body), read::<KeyPatch>(&body));
        let deep = format!("{{\"metadata\":{}", "[".repeat(depth));
        prop_assert!(read::<NewKey>(deep.as_bytes()).is_none());
    }
}
