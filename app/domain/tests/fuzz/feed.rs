//! Pages of the feed.

use crate::good::{NOW, any_time, config, damaged, locator, near, record};
use ownchat_domain::{
    feed::{self, Entry, Follower, PAGE, Page, Subject},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};

/// A page that says anything.
fn any_page() -> impl Strategy<Value = Vec<u8>> {
    let entry = (any::<bool>(), any::<u32>(), any::<u64>()).prop_map(|(is_key, number, version)| {
        let subject = if is_key { Subject::Key(locator()) } else { Subject::Workspace(number) };
        Entry { subject, version }
    });
    (any::<u64>(), any_time(), any::<u64>(), any::<bool>(), vec(entry, 0..6)).prop_map(
        |(incarnation, born, position, more, entries)| {
            feed::encode(&Page { incarnation, born, position, more, entries })
        },
    )
}

fn page() -> Vec<u8> {
    let entries = vec![
        Entry { subject: Subject::Key(locator()), version: 9 },
        Entry { subject: Subject::Workspace(7), version: 4 },
    ];
    feed::encode(&Page { incarnation: 77, born: NOW, position: 12, more: false, entries })
}

#[test]
fn a_good_one_is_read() {
    assert!(feed::decode(&page()).is_some());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pages_of_the_feed(bytes in prop_oneof![near(page()), any_page(), any_page().prop_flat_map(damaged)], now in any::<i64>()) {
        if let Some(page) = feed::decode(&bytes) {
            prop_assert!(page.entries.len() <= PAGE && page.entries.len() <= bytes.len());
            let mut follower = Follower::default();
            let from = follower.position();
            let _ = follower.learn(page, from, Timestamp::from_millis(now));
            let _ = (follower.allows(&record()), follower.is_fresh(NOW));
        }
    }
}
