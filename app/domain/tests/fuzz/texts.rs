//! Fuzz tests of short texts: digits, tags, paths.

use crate::{bounds::within, good::config};
use ownchat_domain::{
    base62,
    idempotency::IdempotencyKey,
    key::version_of_etag,
    keyring::Keyring,
    locator::Locator,
    vault::{Caller, Object, parse_feed_path},
};
use proptest::prelude::*;

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => ".{0,80}",
        4 => "[0-9A-Za-z]{0,40}",
        4 => "\"[0-9]{0,30}\"",
        4 => "/(registry|meter|feed|person|usage)/[0-9a-f]{0,20}/.{0,20}",
        4 => "/(registry|usage|feed)/[0-9]{1,11}/[a-z-]{0,20}",
        4 => "since/[0-9]{0,25}/[0-9]{0,25}",
        4 => "key:[0-9A-Za-z]{16}:[0-9A-Za-z_-]{43}:(192\\.0\\.2\\.[0-9]{1,3}|[0-9a-f:]{0,20})",
        1 => ("[0-9\":,=/]", 0..65_536usize).prop_map(|(one, times)| one.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn digits_tags_and_paths(text in any_text()) {
        if let Some(number) = within(&text, || base62::decode(&text)) {
            prop_assert_eq!(base62::encode(number, text.len()), text.as_str());
        }
        let _ = within(&text, || (version_of_etag(&text), parse_feed_path(&text), text.parse::<Locator>()));
        let _ = within(&text, || (Keyring::parse(&text).is_ok(), text.parse::<IdempotencyKey>()));
        if let Some((object, name)) = within(&text, || Object::parse(&text)) {
            let path = object.path(name);
            prop_assert_eq!(Object::parse(&path), Some((object, name)));
        }
        let quoted = serde_json::to_string(&text).unwrap();
        if let Ok(caller) = within(&text, || serde_json::from_str::<Caller>(&quoted)) {
            let written = serde_json::to_string(&caller).unwrap();
            prop_assert_eq!(serde_json::from_str::<Caller>(&written).unwrap(), caller);
        }
    }
}
