//! Floods of unknown keys, and concurrent requests that need the same fetch.

use super::*;

/// Admits a fetch of the key for a request that arrived at `NOW`.
fn turn(authorizer: &Authorizer, key: &PresentedKey, after: i64) -> Admission {
    authorizer.admit_fetch(key, None, true, NOW, NOW.plus(after))
}

#[test]
fn many_who_lack_the_same_record_wait_for_one_question_and_none_of_them_asks_when_it_never_ends() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    assert!(matches!(turn(&authorizer, &key, 0), Admission::Fetch));
    authorizer.begin_fetch(&key, true, None, NOW);
    for after in [0, 1_999, 2_000, 3_999, 4_499] {
        assert!(
            matches!(turn(&authorizer, &key, after), Admission::Poll(wait) if (5..200).contains(&wait)),
            "after {after} ms"
        );
    }
    // That fetch timed out, and another request fetches.
    let lost = NOW.plus(4_500);
    assert!(matches!(turn(&authorizer, &key, 4_500), Admission::Fetch));
    authorizer.begin_fetch(&key, true, None, lost);
    assert!(matches!(turn(&authorizer, &key, 4_500), Admission::GoOffline), "the others have waited for long enough");
    assert!(matches!(authorizer.admit_fetch(&key, None, true, lost, lost), Admission::Poll(5)), "who comes now waits");
    authorizer.end_fetch(&key, true, None, lost, None);
    assert!(matches!(turn(&authorizer, &key, 5_499), Admission::Fetch));
    assert!(matches!(turn(&authorizer, &key, 5_500), Admission::GoOffline), "the answer would come too late");
}

#[test]
fn a_feed_that_somebody_reads_is_waited_for() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let turn = |after| authorizer.admit_fetch(&key, None, false, NOW, NOW.plus(after));
    assert!(matches!(turn(0), Admission::Fetch));
    authorizer.begin_feed_read(7, NOW);
    assert!(matches!(turn(0), Admission::Poll(5)));
    authorizer.begin_feed_read(7, NOW.plus(4_500));
    assert!(matches!(turn(4_500), Admission::GoOffline));
}

#[test]
fn an_address_that_is_held_asks_nothing_however_long_it_waited() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let late = NOW.plus(4_000);
    authorizer.begin_fetch(&key, true, "192.0.2.1".parse().ok(), NOW);
    for _ in 0..100 {
        authorizer.note_unknown(&key, None, late);
    }
    for after in [4_000, 4_400] {
        assert!(matches!(turn(&authorizer, &key, after), Admission::Throttle(_)), "after {after} ms");
    }
    authorizer.cache_key(&key, copy(record(), NOW));
    assert!(matches!(turn(&authorizer, &key, 4_000), Admission::Poll(_)), "of its key something is known");
}

#[test]
fn who_waits_in_a_crowd_is_refused_at_last() {
    let authorizer = authorizer();
    let (key, other) = (
        presented(&authorizer),
        PresentedKey { locator: "0000000000000001".parse().unwrap(), ..presented(&authorizer) },
    );
    for _ in 0..200 {
        authorizer.begin_fetch(&other, true, None, NOW);
    }
    assert!(
        matches!(turn(&authorizer, &key, 0), Admission::Poll(20))
            && matches!(turn(&authorizer, &key, 4_499), Admission::Poll(_))
    );
    assert!(matches!(turn(&authorizer, &key, 4_500), Admission::Throttle(SECOND)));
}

#[test]
fn guessing_costs_one_question_a_second_while_the_vault_fails() {
    let authorizer = authorizer();
    let (key, wrong) = (presented(&authorizer), guessed(&authorizer));
    authorizer.cache_key(&key, CachedKey { from_vault: true, ..copy(record(), NOW) });
    let fail = |at: Timestamp| {
        let is_unknown = authorizer.begin_fetch(&wrong, false, None, at);
        authorizer.end_fetch(&wrong, is_unknown, None, at, Some(at));
    };
    fail(NOW);
    for after in [0, 999] {
        assert!(matches!(turn(&authorizer, &wrong, after), Admission::GoOffline), "after {after} ms");
        assert!(matches!(turn(&authorizer, &key, after), Admission::Fetch), "whose secret is right is not held up");
    }
    assert!(matches!(turn(&authorizer, &wrong, 1_000), Admission::Fetch));
    // Without a cached record nobody knows that the secret is wrong.
    authorizer.key_cache.borrow_mut().remove(key.locator);
    fail(NOW);
    assert!(matches!(turn(&authorizer, &wrong, 0), Admission::Fetch));
}

#[test]
fn whoever_guesses_at_a_key_that_exists_is_not_taken_for_a_flood() {
    let from = "192.0.2.1".parse().ok();
    for (known, is_flood) in [
        (Some(record()), false),
        (Some(Record { active: false, ..record() }), false),
        (Some(Record { deleted: true, ..record() }), true),
        (None, true),
    ] {
        let authorizer = authorizer();
        let key = guessed(&authorizer);
        authorizer.cache_key(&key, CachedKey { from_vault: true, ..CachedKey::new(known.map(Rc::new), NOW) });
        for _ in 0..100 {
            authorizer.note_unknown(&key, from, NOW);
        }
        let other = PresentedKey { locator: "0000000000000001".parse().unwrap(), ..key };
        assert_eq!(authorizer.throttled(&other, from, NOW).is_some(), is_flood, "another from there");
        // A cached key is never throttled.
        authorizer.cache_key(&key, copy(record(), NOW));
        assert!(authorizer.throttled(&key, from, NOW).is_none());
    }
}

#[test]
fn only_so_many_keys_of_which_nothing_is_known_are_asked_for_at_once() {
    let (authorizer, from) = (authorizer(), "192.0.2.1".parse().ok());
    let (known, unknown) = (presented(&authorizer), presented(&authorizer));
    for _ in 0..199 {
        authorizer.begin_fetch(&unknown, true, from, NOW);
    }
    authorizer.cache_key(&known, copy(record(), NOW));
    for _ in 0..199 {
        authorizer.begin_fetch(&known, false, from, NOW);
    }
    authorizer.cache_key(&unknown, CachedKey::new(None, NOW));
    assert!(!authorizer.is_crowded(&unknown, from, NOW), "those of which something is known do not count");
    authorizer.begin_fetch(&unknown, true, from, NOW);
    assert!(authorizer.is_crowded(&unknown, from, NOW) && !authorizer.is_crowded(&unknown, None, NOW));
    authorizer.end_fetch(&known, false, from, NOW, None);
    assert!(authorizer.is_crowded(&unknown, from, NOW));
    authorizer.end_fetch(&unknown, true, from, NOW, None);
    assert!(!authorizer.is_crowded(&unknown, from, NOW));
}
