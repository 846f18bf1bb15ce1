//! Floods of unknown keys, and concurrent requests that need the same fetch.

use super::*;

/// Admits a fetch of the key for a request that arrived at `NOW`.
fn admission(authorizer: &Authorizer, key: &PresentedKey, after: i64) -> Admission {
    authorizer.admit_fetch(key, None, true, NOW, NOW.plus(after))
}

#[test]
fn concurrent_requests_share_one_fetch_and_time_out_with_it() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    assert!(matches!(admission(&authorizer, &key, 0), Admission::Fetch));
    authorizer.begin_fetch(&key, true, None, NOW);
    for after in [0, 1_999, 2_000, 3_999, 4_499] {
        assert!(
            matches!(admission(&authorizer, &key, after), Admission::Poll(wait) if (5..200).contains(&wait)),
            "after {after} ms"
        );
    }
    // That fetch timed out, and another request fetches.
    let timed_out = NOW.plus(4_500);
    assert!(matches!(admission(&authorizer, &key, 4_500), Admission::Fetch));
    authorizer.begin_fetch(&key, true, None, timed_out);
    assert!(matches!(admission(&authorizer, &key, 4_500), Admission::GoOffline), "the others have timed out");
    assert!(
        matches!(authorizer.admit_fetch(&key, None, true, timed_out, timed_out), Admission::Poll(5)),
        "a new request waits"
    );
    authorizer.end_fetch(&key, true, None, timed_out, None);
    assert!(matches!(admission(&authorizer, &key, 5_499), Admission::Fetch));
    assert!(matches!(admission(&authorizer, &key, 5_500), Admission::GoOffline), "the response would be too late");
}

#[test]
fn feed_read_in_flight_is_awaited() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let admission = |after| authorizer.admit_fetch(&key, None, false, NOW, NOW.plus(after));
    assert!(matches!(admission(0), Admission::Fetch));
    authorizer.begin_feed_read(7, NOW);
    assert!(matches!(admission(0), Admission::Poll(5)));
    authorizer.begin_feed_read(7, NOW.plus(4_500));
    assert!(matches!(admission(4_500), Admission::GoOffline));
}

#[test]
fn throttled_client_fetches_nothing_however_long_it_waits() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let late = NOW.plus(4_000);
    authorizer.begin_fetch(&key, true, "192.0.2.1".parse().ok(), NOW);
    for _ in 0..100 {
        authorizer.note_unknown(&key, None, late);
    }
    for after in [4_000, 4_400] {
        assert!(matches!(admission(&authorizer, &key, after), Admission::Throttle(_)), "after {after} ms");
    }
    authorizer.cache_key(&key, cached(record(), NOW));
    assert!(matches!(admission(&authorizer, &key, 4_000), Admission::Poll(_)), "the key is cached");
}

#[test]
fn crowded_request_is_throttled_in_the_end() {
    let authorizer = authorizer();
    let (key, other) = (
        presented(&authorizer),
        PresentedKey { locator: "0000000000000001".parse().unwrap(), ..presented(&authorizer) },
    );
    for _ in 0..200 {
        authorizer.begin_fetch(&other, true, None, NOW);
    }
    assert!(
        matches!(admission(&authorizer, &key, 0), Admission::Poll(20))
            && matches!(admission(&authorizer, &key, 4_499), Admission::Poll(_))
    );
    assert!(matches!(admission(&authorizer, &key, 4_500), Admission::Throttle(SECOND)));
}

#[test]
fn guessing_costs_one_fetch_a_second_while_the_vault_fails() {
    let authorizer = authorizer();
    let (key, wrong) = (presented(&authorizer), with_wrong_secret(&authorizer));
    authorizer.cache_key(&key, CachedKey { from_vault: true, ..cached(record(), NOW) });
    let fail = |at: Timestamp| {
        let is_unknown = authorizer.begin_fetch(&wrong, false, None, at);
        authorizer.end_fetch(&wrong, is_unknown, None, at, Some(at));
    };
    fail(NOW);
    for after in [0, 999] {
        assert!(matches!(admission(&authorizer, &wrong, after), Admission::GoOffline), "after {after} ms");
        assert!(matches!(admission(&authorizer, &key, after), Admission::Fetch), "the right secret is not delayed");
    }
    assert!(matches!(admission(&authorizer, &wrong, 1_000), Admission::Fetch));
    // Without a cached record nobody knows that the secret is wrong.
    authorizer.key_cache.borrow_mut().remove(key.locator);
    fail(NOW);
    assert!(matches!(admission(&authorizer, &wrong, 0), Admission::Fetch));
}

#[test]
fn wrong_secret_of_an_existing_key_is_not_a_miss() {
    let from = "192.0.2.1".parse().ok();
    for (existing, is_flood) in [
        (Some(record()), false),
        (Some(Record { active: false, ..record() }), false),
        (Some(Record { deleted: true, ..record() }), true),
        (None, true),
    ] {
        let authorizer = authorizer();
        let key = with_wrong_secret(&authorizer);
        authorizer.cache_key(&key, CachedKey { from_vault: true, ..CachedKey::new(existing.map(Rc::new), NOW) });
        for _ in 0..100 {
            authorizer.note_unknown(&key, from, NOW);
        }
        let other = PresentedKey { locator: "0000000000000001".parse().unwrap(), ..key };
        assert_eq!(authorizer.throttled(&other, from, NOW).is_some(), is_flood, "another key of the same client");
        // A cached key is never throttled.
        authorizer.cache_key(&key, cached(record(), NOW));
        assert!(authorizer.throttled(&key, from, NOW).is_none());
    }
}

#[test]
fn concurrent_fetches_of_unknown_keys_are_bounded() {
    let (authorizer, from) = (authorizer(), "192.0.2.1".parse().ok());
    let (known, unknown) = (presented(&authorizer), presented(&authorizer));
    for _ in 0..199 {
        authorizer.begin_fetch(&unknown, true, from, NOW);
    }
    authorizer.cache_key(&known, cached(record(), NOW));
    for _ in 0..199 {
        authorizer.begin_fetch(&known, false, from, NOW);
    }
    authorizer.cache_key(&unknown, CachedKey::new(None, NOW));
    assert!(!authorizer.is_crowded(&unknown, from, NOW), "cached keys do not count");
    authorizer.begin_fetch(&unknown, true, from, NOW);
    assert!(authorizer.is_crowded(&unknown, from, NOW) && !authorizer.is_crowded(&unknown, None, NOW));
    authorizer.end_fetch(&known, false, from, NOW, None);
    assert!(authorizer.is_crowded(&unknown, from, NOW));
    authorizer.end_fetch(&unknown, true, from, NOW, None);
    assert!(!authorizer.is_crowded(&unknown, from, NOW));
}
