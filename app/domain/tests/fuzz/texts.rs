//! Short texts: cursors, tags, times, paths.

use crate::good::config;
use ownchat_domain::{
    base62,
    key::version_of_etag,
    keyring::Keyring,
    locator::Locator,
    time::Timestamp,
    vault::{Object, parse_news},
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn cursors_tags_times_and_paths(text in prop_oneof![".{0,80}", "[0-9A-Za-z]{0,40}", "\"[0-9]{0,30}\"", "/(registry|meter|feed|person)/[0-9a-f]{0,20}/.{0,20}", "since/[0-9]{0,25}/[0-9]{0,25}"]) {
        if let Some(number) = base62::decode(&text) {
            prop_assert_eq!(base62::encode(number, text.len()), text.as_str());
        }
        let _ = (version_of_etag(&text), parse_news(&text), text.parse::<Locator>(), Keyring::parse(&text));
        if let Some((object, name)) = Object::parse(&text) {
            let path = object.path(name);
            prop_assert_eq!(Object::parse(&path), Some((object, name)));
        }
        if let Some(moment) = Timestamp::parse(&text) {
            prop_assert_eq!(Timestamp::parse(&moment.rfc3339()), Some(moment));
        }
    }
}
