//! Fuzz tests of feed pages.

use crate::{
    bounds::{CLAIMED, within, within_and},
    good::{NOW, any_time, config, damaged, locator, near, one_in, record},
};
use ownchat_domain::{
    feed::{self, Affected, Entry, FeedReader, PAGE, Page},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};

/// A page with arbitrary values.
fn any_page() -> impl Strategy<Value = Vec<u8>> {
    let subject = prop_oneof![
        Just(Affected::Key(locator())),
        any::<u32>().prop_map(Affected::Workspace),
        any::<u32>().prop_map(Affected::Sealed),
    ];
    let entry = (subject, any::<u64>()).prop_map(|(subject, version)| Entry { subject, version });
    (any::<u64>(), any_time(), any::<u64>(), any::<bool>(), vec(entry, 0..6)).prop_map(
        |(incarnation, born, position, more, entries)| {
            feed::encode(&Page { incarnation, born, position, more, entries }).unwrap()
        },
    )
}

/// A page around the maximum length.
fn long_page() -> impl Strategy<Value = Vec<u8>> {
    (PAGE - 2..PAGE + 3, any::<u64>()).prop_map(|(length, version)| {
        let entries =
            (0..).take(length).map(|number| Entry { subject: Affected::Workspace(number), version }).collect();
        feed::encode(&Page { incarnation: 77, born: NOW, position: 12, more: true, entries }).unwrap()
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![near(page()), any_page(), any_page().prop_flat_map(damaged),]
}

fn is_answered(bytes: &[u8], now: Timestamp) -> Result<(), TestCaseError> {
    if let Ok(page) = within_and(CLAIMED, bytes, || feed::decode(bytes)) {
        prop_assert!(page.entries.len() <= PAGE && page.entries.len() <= bytes.len());
        let mut follower = FeedReader::default();
        let from = follower.position();
        within(bytes, || {
            let _ = follower.learn(page, from, now);
            let _ = (follower.allows(&record()), follower.is_fresh(NOW));
        });
    }
    Ok(())
}

fn page() -> Vec<u8> {
    let entries = vec![
        Entry { subject: Affected::Key(locator()), version: 9 },
        Entry { subject: Affected::Workspace(7), version: 4 },
        Entry { subject: Affected::Sealed(7), version: 5 },
    ];
    feed::encode(&Page { incarnation: 77, born: NOW, position: 12, more: false, entries }).unwrap()
}

#[test]
fn a_good_one_is_read() {
    assert!(feed::decode(&page()).is_ok());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pages_of_the_feed(bytes in any_bytes(), now in any_time()) {
        is_answered(&bytes, now)?;
    }
}

proptest! {
    #![proptest_config(one_in(50))]

    #[test]
    fn long_pages(bytes in prop_oneof![long_page(), long_page().prop_flat_map(damaged)], now in any_time()) {
        is_answered(&bytes, now)?;
    }
}
