//! What an isolate holds is spent once, in time, and all that is not spent goes back.

use super::*;
use crate::testing::{NOW, authorizer, record};
use ownchat_domain::{
    limit::{Period, Quota},
    locator::Address,
};

fn lease(number: u64, permits: u32) -> Lease {
    let standing = Standing { rate: Some((40, 9_000)), quota: None };
    Lease { number, permits, lasts: 2_000, standing }
}

#[test]
fn permits_are_spent_while_their_lease_lasts() {
    let (mut purse, key) = (Purse::default(), record());
    assert_eq!(purse.spend(&key, 1, NOW), None);
    purse.put(&record(), lease(1, 4), NOW, NOW);
    assert_eq!(purse.spend(&key, 1, NOW).unwrap().unwrap().standing.rate, Some((43, 9_000)));
    assert_eq!(purse.spend(&key, 2, NOW.plus(1_000)).unwrap().unwrap().standing.rate, Some((41, 8_000)));
    assert_eq!(purse.spend(&key, 2, NOW.plus(1_000)), None, "one is left");
    assert_eq!(purse.spend(&key, 1, NOW.plus(2_000)), None, "the lease is over");
    assert_eq!(purse.spend(&key, 1, NOW.plus(-1)), None, "the clock was set back");
}

#[test]
fn a_lease_that_came_too_late_is_spent_by_nobody() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(1, 4), NOW, NOW);
    assert_eq!(purse.spend(&key, 1, NOW.plus(2_000)), None);
    assert_eq!(purse.question(&key, 1, 1, NOW.plus(2_000)).unused, [Unused { lease: 1, permits: 4 }]);
}

#[test]
fn a_permit_of_a_quota_is_good_whenever_it_comes() {
    let quota = Quota { limit: 500, period: Period::Day };
    let (mut purse, mut key) = (Purse::default(), record());
    key.limits = Limits { rate: None, quota: Some(quota) };
    purse.put(&key, lease(1, 4), NOW, NOW.plus(9_000));
    assert!(purse.spend(&key, 1, NOW.plus(9_000)).is_some());
    let tomorrow = Period::Day.end(NOW);
    assert_eq!(purse.spend(&key, 1, NOW.plus(11_000)), None, "what is to spare is not kept for long");
    purse.put(&key, lease(2, 4), NOW, tomorrow);
    assert_eq!(purse.spend(&key, 1, tomorrow), None, "it was for today");
}

#[test]
fn what_is_left_goes_back_once() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(1, 4), NOW, NOW);
    assert!(purse.leftovers(key.locator, key.limits, 3, NOW).is_none(), "it may still be spent");
    assert_eq!(purse.watch(key.locator, NOW), Some(NOW.plus(2_000)));
    assert_eq!(purse.watch(key.locator, NOW), None, "one is enough");
    let back = purse.leftovers(key.locator, key.limits, 3, NOW.plus(2_000)).unwrap();
    assert_eq!((back.need, back.unused), (0, vec![Unused { lease: 1, permits: 4 }]));
    assert!(purse.leftovers(key.locator, key.limits, 3, NOW.plus(2_000)).is_none());
    assert_eq!(purse.spend(&key, 1, NOW.plus(2_001)), None);
}

#[test]
fn a_refusal_is_repeated_for_a_moment_to_those_who_want_as_much() {
    let (mut purse, key) = (Purse::default(), record());
    let refusal = Refusal { by_quota: false, retry_after: 9_000, standing: Standing::default() };
    purse.question(&key, 3, 1, NOW);
    purse.refuse(&key, 3, refusal, NOW, NOW);
    let again = purse.spend(&key, 4, NOW.plus(100)).unwrap().unwrap_err();
    assert_eq!(again.retry_after, 8_900);
    assert_eq!(purse.spend(&key, 2, NOW.plus(100)), None, "less may be had");
    assert_eq!(purse.spend(&key, 3, NOW.plus(REFUSED_FOR)), None);
    assert_eq!(purse.spend(&key, 3, NOW.plus(-1)), None, "the clock was set back");
    purse.refuse(&key, 3, Refusal { retry_after: 40, ..refusal }, NOW, NOW);
    assert_eq!(purse.spend(&key, 3, NOW.plus(40)), None, "something has become free");
    purse.refuse(&key, 3, refusal, NOW, NOW);
    purse.put(&key, lease(1, 4), NOW, NOW);
    assert!(purse.spend(&key, 3, NOW).unwrap().is_ok());
    assert!(!purse.refuse(&key, 1, refusal, NOW, NOW), "one is held");
    assert!(purse.refuse(&key, 2, refusal, NOW, NOW));
    assert!(purse.spend(&key, 1, NOW).unwrap().is_ok(), "whatever was refused meanwhile");
}

#[test]
fn permits_of_another_record_are_given_back() {
    let (mut purse, before) = (Purse::default(), record());
    let after = Record { version: 4, ..record() };
    purse.put(&before, lease(1, 4), NOW, NOW);
    assert!(purse.spend(&before, 1, NOW).is_some());
    assert_eq!((purse.spend(&after, 1, NOW), purse.standing(&after, NOW)), (None, None));
    assert_eq!(purse.watch(before.locator, NOW), Some(NOW), "nothing is held any more");
    purse.put(&before, lease(2, 5), NOW, NOW);
    let refusal = Refusal { by_quota: false, retry_after: 9_000, standing: Standing::default() };
    assert!(!purse.refuse(&before, 9, refusal, NOW, NOW), "it is worth another question");
    assert_eq!(purse.spend(&after, 9, NOW), None);
    let all = [Unused { lease: 1, permits: 3 }, Unused { lease: 2, permits: 5 }];
    assert_eq!(purse.question(&after, 1, 1, NOW).unused, all);
    purse.put(&after, lease(3, 2), NOW, NOW);
    assert!(purse.leftovers(before.locator, before.limits, 3, NOW).is_none(), "a chore of before takes nothing");
    assert!(purse.spend(&after, 2, NOW).is_some());
}

#[test]
fn leases_are_held_beside_each_other_and_what_ends_first_is_spent_first() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(2, 6), NOW.plus(500), NOW.plus(500));
    purse.put(&key, lease(1, 4), NOW, NOW);
    assert!(purse.spend(&key, 5, NOW.plus(501)).is_some(), "four of the first, one of the second");
    let unused = purse.question(&key, 9, 1, NOW.plus(502)).unused;
    assert_eq!(unused, [Unused { lease: 1, permits: 0 }], "the second still lasts");
    assert!(purse.spend(&key, 2, NOW.plus(2_400)).is_some());
    assert_eq!(purse.spend(&key, 4, NOW.plus(2_400)), None, "three are left");
    assert_eq!(purse.watch(key.locator, NOW.plus(2_400)), Some(NOW.plus(2_500)));
    assert_eq!(purse.watch(key.locator, NOW.plus(2_400)), None, "one is enough");
    let question = purse.question(&key, 1, 1, NOW.plus(2_500));
    let left = Unused { lease: 2, permits: 3 };
    assert_eq!(question.unused, [left]);
    purse.lost(key.locator, question);
    let all = Unused { lease: NAMED | 1, permits: ALL };
    assert_eq!(purse.question(&key, 1, 2, NOW.plus(2_501)).unused, [left, all], "the meter did not answer");
}

#[test]
fn a_busy_key_asks_for_what_it_is_likely_to_need() {
    let (mut purse, key) = (Purse::default(), record());
    assert_eq!(purse.question(&key, 1, 1, NOW).spare, 0, "nothing is known of it yet");
    purse.put(&key, lease(1, 101), NOW, NOW);
    for _ in 0..100 {
        purse.spend(&key, 1, NOW.plus(500)).unwrap().unwrap();
    }
    let question = purse.question(&key, 1, 1, NOW.plus(1_000));
    assert_eq!((question.need, question.spare), (1, 200), "100 in one second, for two seconds");
    purse.put(&key, lease(2, 101), NOW.plus(1_000), NOW.plus(1_000));
    assert!(purse.spend(&key, 50, NOW.plus(1_500)).is_some());
    assert!(purse.question(&key, 60, 1, NOW.plus(1_500)).spare > 0);
    assert_eq!(purse.question(&key, 60, 1, NOW.plus(1_500)).spare, 0, "another call is asking");
    purse.put(&key, lease(3, 60), NOW.plus(1_500), NOW.plus(1_550));
    assert!(purse.spend(&key, 111, NOW.plus(1_600)).is_some());
    assert_eq!(purse.question(&key, 1, 1, NOW.plus(1_600)).spare, 0, "it still is");
}

#[test]
fn a_lease_that_may_have_been_granted_goes_back_even_if_nobody_calls_again() {
    let (mut purse, key) = (Purse::default(), record());
    let question = purse.question(&key, 3, 5, NOW);
    purse.lost(key.locator, question);
    assert_eq!(purse.watch(key.locator, NOW), Some(NOW), "at once");
    let back = purse.leftovers(key.locator, key.limits, 3, NOW).unwrap();
    assert_eq!((back.name, back.unused.clone()), (0, vec![Unused { lease: NAMED | 5, permits: ALL }]));
    purse.lost(key.locator, back);
    assert!(purse.leftovers(key.locator, key.limits, 3, NOW).is_some(), "it did not get there");
}

#[test]
fn nobody_is_sent_to_say_that_a_lease_is_used_up() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(1, 1), NOW, NOW);
    assert!(purse.spend(&key, 1, NOW).unwrap().is_ok());
    assert_eq!(purse.watch(key.locator, NOW), None);
    assert!(purse.leftovers(key.locator, key.limits, 3, NOW.plus(2_000)).is_none());
    assert_eq!(purse.question(&key, 1, 1, NOW.plus(2_000)).unused, [Unused { lease: 1, permits: 0 }]);
}

#[test]
fn what_waits_for_a_meter_is_bounded() {
    let (mut purse, key) = (Purse::default(), record());
    for random in 1..3_000 {
        let question = purse.question(&key, 1, random, NOW);
        purse.lost(key.locator, question);
    }
    let unused = purse.question(&key, 1, 1, NOW).unused;
    assert_eq!((unused.len(), unused.last().unwrap().lease), (WAITING_MAX, NAMED + 2_999));
}

#[test]
fn keys_of_which_something_is_held_are_forgotten_last() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(1, 4), NOW, NOW);
    let authorizer = authorizer();
    let other = |number| {
        let address = Address { workspace: 7, number };
        let locator = Locator::issue(authorizer.keyring(), address, key.environment);
        Record { locator, ..record() }
    };
    for number in 2..u32::try_from(CAPACITY).unwrap() + 10 {
        purse.question(&other(number), 1, 1, NOW);
    }
    assert!(purse.0.len() <= CAPACITY);
    assert!(purse.spend(&key, 1, NOW).is_some());
}

#[test]
fn what_is_left_is_told_while_it_is_known() {
    let (mut purse, key) = (Purse::default(), record());
    assert_eq!(purse.standing(&key, NOW), None, "nothing is known of it yet");
    purse.question(&key, 1, 1, NOW);
    assert_eq!(purse.standing(&key, NOW), None);
    purse.put(&key, lease(1, 4), NOW, NOW);
    let left = |purse: &Purse, now| purse.standing(&key, now).map(|standing| standing.rate.unwrap());
    assert_eq!(left(&purse, NOW.plus(1_000)), Some((44, 8_000)), "with what is held here");
    assert!(purse.spend(&key, 3, NOW).is_some());
    assert_eq!(left(&purse, NOW.plus(LEASE_MAX - 1)), Some((41, 7_001)));
    assert_eq!((left(&purse, NOW.plus(LEASE_MAX)), left(&purse, NOW.plus(-1))), (None, None));
    assert_eq!(purse.standing(&Record { version: 4, ..record() }, NOW), None, "of other limits");
    let standing = Standing { rate: Some((0, 500)), quota: None };
    purse.refuse(&key, 9, Refusal { by_quota: false, retry_after: 500, standing }, NOW.plus(3_000), NOW.plus(3_000));
    assert_eq!(left(&purse, NOW.plus(3_100)), Some((0, 400)), "a refusal tells of it, too");
}

#[test]
fn a_permit_comes_back_if_its_request_reached_nobody() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(1, 2), NOW, NOW);
    let spend = |purse: &mut Purse, now| purse.spend(&key, 1, now).unwrap().unwrap().lease;
    for _ in 0..2 {
        let lease = spend(&mut purse, NOW);
        purse.depart(key.locator, lease);
    }
    assert_eq!(purse.spend(&key, 1, NOW), None, "both are spent");
    purse.settle(key.locator, 1, false);
    purse.settle(key.locator, 1, true);
    assert_eq!(spend(&mut purse, NOW), 1, "one has come back");
    purse.settle(key.locator, 1, false);
    assert_eq!(purse.spend(&key, 1, NOW), None, "none is on its way any more");
    purse.settle(key.locator, 9, false);
}

#[test]
fn a_lease_is_over_once_nothing_of_it_is_on_its_way() {
    let (mut purse, key) = (Purse::default(), record());
    purse.put(&key, lease(1, 1), NOW, NOW);
    purse.spend(&key, 1, NOW).unwrap().unwrap();
    purse.depart(key.locator, 1);
    let later = NOW.plus(30_000);
    let leftovers = |purse: &mut Purse, version| purse.leftovers(key.locator, key.limits, version, later);
    assert_eq!(leftovers(&mut purse, key.version), None, "it may come back");
    // Another record decides meanwhile.
    let after = Record { version: key.version + 1, ..key.clone() };
    assert_eq!(purse.spend(&after, 1, later), None);
    purse.settle(key.locator, 1, false);
    let unused = leftovers(&mut purse, after.version).unwrap().unused;
    assert_eq!(unused, [Unused { lease: 1, permits: 1 }]);
}

#[test]
fn a_costly_call_takes_what_is_held_together_with_what_the_meter_has() {
    let quota = Quota { limit: 500, period: Period::Month };
    let (mut purse, mut key) = (Purse::default(), record());
    key.limits = Limits { rate: None, quota: Some(quota) };
    let refusal = |left| {
        let standing = Standing { rate: None, quota: Some((left, 9_000)) };
        Refusal { by_quota: true, retry_after: 9_000, standing }
    };
    purse.put(&key, lease(1, 6), NOW, NOW);
    assert_eq!(purse.question(&key, 7, 1, NOW).need, 7);
    assert!(!purse.refuse(&key, 7, refusal(4), NOW, NOW), "10 are left in all");
    assert_eq!(purse.spend(&key, 7, NOW), None, "the meter is asked again");
    assert_eq!(purse.question(&key, 7, 2, NOW).need, 1);
    purse.put(&key, lease(2, 1), NOW, NOW);
    assert!(purse.spend(&key, 7, NOW).unwrap().is_ok());
    assert_eq!(purse.question(&key, 7, 3, NOW).need, 7, "once");
    assert!(purse.refuse(&key, 7, refusal(6), NOW, NOW), "none is held any more");
}
