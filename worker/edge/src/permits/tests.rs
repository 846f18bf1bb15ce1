//! Permits are spent once and in time, and all unspent ones are returned.

use super::*;
use crate::testing::{NOW, authorizer, record};
use ownchat_domain::{
    limit::{Period, Quota},
    locator::KeyNumber,
};

fn lease(number: u64, permits: u32) -> Lease {
    let standing = LimitState { rate: Some((40, 9_000).into()), quota: None };
    Lease { number, permits, lasts: 2_000, standing }
}

#[test]
fn permits_are_spent_while_their_lease_lasts() {
    let (mut permits, key) = (Permits::default(), record());
    assert_eq!(permits.spend(&key, 1, NOW), None);
    permits.add_lease(&record(), lease(1, 4), NOW, NOW);
    assert_eq!(permits.spend(&key, 1, NOW).unwrap().unwrap().standing.rate, Some((43, 9_000).into()));
    assert_eq!(permits.spend(&key, 2, NOW.plus(1_000)).unwrap().unwrap().standing.rate, Some((41, 8_000).into()));
    assert_eq!(permits.spend(&key, 2, NOW.plus(1_000)), None, "one permit is left");
    assert_eq!(permits.spend(&key, 1, NOW.plus(2_000)), None, "the lease expired");
    assert_eq!(permits.spend(&key, 1, NOW.plus(-1)), None, "the clock was set back");
}

#[test]
fn lease_that_arrives_late_is_not_spent() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(1, 4), NOW, NOW);
    assert_eq!(permits.spend(&key, 1, NOW.plus(2_000)), None);
    assert_eq!(permits.lease_request(&key, 1, 1, NOW.plus(2_000)).unused, [ReturnedPermits { lease: 1, permits: 4 }]);
}

#[test]
fn permit_of_a_quota_is_valid_within_its_period() {
    let quota = Quota { limit: 500, period: Period::Day };
    let (mut permits, mut key) = (Permits::default(), record());
    key.limits = Limits { rate: None, quota: Some(quota) };
    permits.add_lease(&key, lease(1, 4), NOW, NOW.plus(9_000));
    assert!(permits.spend(&key, 1, NOW.plus(9_000)).is_some());
    let tomorrow = Period::Day.end(NOW);
    assert_eq!(permits.spend(&key, 1, NOW.plus(11_000)), None, "the lease of spare permits expired");
    permits.add_lease(&key, lease(2, 4), NOW, tomorrow);
    assert_eq!(permits.spend(&key, 1, tomorrow), None, "the lease was for today");
}

#[test]
fn unspent_permits_are_returned_once() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(1, 4), NOW, NOW);
    assert!(permits.take_unspent(key.locator, key.limits, 3, NOW).is_none(), "the lease is active");
    assert_eq!(permits.schedule_return(key.locator, NOW), Some(NOW.plus(2_000)));
    assert_eq!(permits.schedule_return(key.locator, NOW), None, "one task is scheduled");
    let back = permits.take_unspent(key.locator, key.limits, 3, NOW.plus(2_000)).unwrap();
    assert_eq!((back.need, back.unused), (0, vec![ReturnedPermits { lease: 1, permits: 4 }]));
    assert!(permits.take_unspent(key.locator, key.limits, 3, NOW.plus(2_000)).is_none());
    assert_eq!(permits.spend(&key, 1, NOW.plus(2_001)), None);
}

#[test]
fn refusal_is_cached_for_equal_or_higher_cost() {
    let (mut permits, key) = (Permits::default(), record());
    let refusal = Refusal { by_quota: false, retry_after: 9_000, standing: LimitState::default() };
    permits.lease_request(&key, 3, 1, NOW);
    permits.apply_refusal(&key, 3, refusal, NOW, NOW);
    let again = permits.spend(&key, 4, NOW.plus(100)).unwrap().unwrap_err();
    assert_eq!(again.retry_after, 8_900);
    assert_eq!(permits.spend(&key, 2, NOW.plus(100)), None, "a lower cost may pass");
    assert_eq!(permits.spend(&key, 3, NOW.plus(REFUSAL_TTL)), None);
    assert_eq!(permits.spend(&key, 3, NOW.plus(-1)), None, "the clock was set back");
    permits.apply_refusal(&key, 3, Refusal { retry_after: 40, ..refusal }, NOW, NOW);
    assert_eq!(permits.spend(&key, 3, NOW.plus(40)), None, "a permit may be free again");
    permits.apply_refusal(&key, 3, refusal, NOW, NOW);
    permits.add_lease(&key, lease(1, 4), NOW, NOW);
    assert!(permits.spend(&key, 3, NOW).unwrap().is_ok());
    assert!(!permits.apply_refusal(&key, 1, refusal, NOW, NOW), "one permit is held");
    assert!(permits.apply_refusal(&key, 2, refusal, NOW, NOW));
    assert!(permits.spend(&key, 1, NOW).unwrap().is_ok(), "a refusal does not block held permits");
}

#[test]
fn permits_of_another_version_are_returned() {
    let (mut permits, before) = (Permits::default(), record());
    let after = Record { version: 4, ..record() };
    permits.add_lease(&before, lease(1, 4), NOW, NOW);
    assert!(permits.spend(&before, 1, NOW).is_some());
    assert_eq!((permits.spend(&after, 1, NOW), permits.standing(&after, NOW)), (None, None));
    assert_eq!(permits.schedule_return(before.locator, NOW), Some(NOW), "no lease is active");
    permits.add_lease(&before, lease(2, 5), NOW, NOW);
    let refusal = Refusal { by_quota: false, retry_after: 9_000, standing: LimitState::default() };
    assert!(!permits.apply_refusal(&before, 9, refusal, NOW, NOW), "the record has changed");
    assert_eq!(permits.spend(&after, 9, NOW), None);
    let all = [ReturnedPermits { lease: 1, permits: 3 }, ReturnedPermits { lease: 2, permits: 5 }];
    assert_eq!(permits.lease_request(&after, 1, 1, NOW).unused, all);
    permits.add_lease(&after, lease(3, 2), NOW, NOW);
    assert!(permits.take_unspent(before.locator, before.limits, 3, NOW).is_none(), "the earlier task takes nothing");
    assert!(permits.spend(&after, 2, NOW).is_some());
}

#[test]
fn lease_that_expires_first_is_spent_first() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(2, 6), NOW.plus(500), NOW.plus(500));
    permits.add_lease(&key, lease(1, 4), NOW, NOW);
    assert!(permits.spend(&key, 5, NOW.plus(501)).is_some(), "four of the first, one of the second");
    let unused = permits.lease_request(&key, 9, 1, NOW.plus(502)).unused;
    assert_eq!(unused, [ReturnedPermits { lease: 1, permits: 0 }], "the second lease is active");
    assert!(permits.spend(&key, 2, NOW.plus(2_400)).is_some());
    assert_eq!(permits.spend(&key, 4, NOW.plus(2_400)), None, "three permits are left");
    assert_eq!(permits.schedule_return(key.locator, NOW.plus(2_400)), Some(NOW.plus(2_500)));
    assert_eq!(permits.schedule_return(key.locator, NOW.plus(2_400)), None, "one task is scheduled");
    let request = permits.lease_request(&key, 1, 1, NOW.plus(2_500));
    let left = ReturnedPermits { lease: 2, permits: 3 };
    assert_eq!(request.unused, [left]);
    permits.request_failed(key.locator, request);
    let all = ReturnedPermits { lease: NAMED | 1, permits: ALL };
    assert_eq!(permits.lease_request(&key, 1, 2, NOW.plus(2_501)).unused, [left, all], "the meter failed");
}

#[test]
fn busy_key_leases_spare_permits() {
    let (mut permits, key) = (Permits::default(), record());
    assert_eq!(permits.lease_request(&key, 1, 1, NOW).spare, 0, "nothing is known of the key");
    permits.add_lease(&key, lease(1, 101), NOW, NOW);
    for _ in 0..100 {
        permits.spend(&key, 1, NOW.plus(500)).unwrap().unwrap();
    }
    let request = permits.lease_request(&key, 1, 1, NOW.plus(1_000));
    assert_eq!((request.need, request.spare), (1, 200), "100 in one second, for two seconds");
    permits.add_lease(&key, lease(2, 101), NOW.plus(1_000), NOW.plus(1_000));
    assert!(permits.spend(&key, 50, NOW.plus(1_500)).is_some());
    assert!(permits.lease_request(&key, 60, 1, NOW.plus(1_500)).spare > 0);
    assert_eq!(permits.lease_request(&key, 60, 1, NOW.plus(1_500)).spare, 0, "another lease request is in flight");
    permits.add_lease(&key, lease(3, 60), NOW.plus(1_500), NOW.plus(1_550));
    assert!(permits.spend(&key, 111, NOW.plus(1_600)).is_some());
    assert_eq!(permits.lease_request(&key, 1, 1, NOW.plus(1_600)).spare, 0, "it is still in flight");
}

#[test]
fn lease_of_a_lost_response_is_returned() {
    let (mut permits, key) = (Permits::default(), record());
    let request = permits.lease_request(&key, 3, 5, NOW);
    permits.request_failed(key.locator, request);
    assert_eq!(permits.schedule_return(key.locator, NOW), Some(NOW), "due at once");
    let back = permits.take_unspent(key.locator, key.limits, 3, NOW).unwrap();
    assert_eq!((back.name, back.unused.clone()), (0, vec![ReturnedPermits { lease: NAMED | 5, permits: ALL }]));
    permits.request_failed(key.locator, back);
    assert!(permits.take_unspent(key.locator, key.limits, 3, NOW).is_some(), "the return failed");
}

#[test]
fn used_up_lease_needs_no_return() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(1, 1), NOW, NOW);
    assert!(permits.spend(&key, 1, NOW).unwrap().is_ok());
    assert_eq!(permits.schedule_return(key.locator, NOW), None);
    assert!(permits.take_unspent(key.locator, key.limits, 3, NOW.plus(2_000)).is_none());
    assert_eq!(permits.lease_request(&key, 1, 1, NOW.plus(2_000)).unused, [ReturnedPermits { lease: 1, permits: 0 }]);
}

#[test]
fn leases_to_return_are_bounded() {
    let (mut permits, key) = (Permits::default(), record());
    for random in 1..3_000 {
        let request = permits.lease_request(&key, 1, random, NOW);
        permits.request_failed(key.locator, request);
    }
    let unused = permits.lease_request(&key, 1, 1, NOW).unused;
    assert_eq!((unused.len(), unused.last().unwrap().lease), (UNUSED_MAX, NAMED + 2_999));
}

#[test]
fn keys_with_permits_are_evicted_last() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(1, 4), NOW, NOW);
    let authorizer = authorizer();
    let other = |number| {
        let address = KeyNumber { workspace: 7, number };
        let locator = Locator::issue(authorizer.keyring(), address, key.environment);
        Record { locator, ..record() }
    };
    for number in 2..u32::try_from(CAPACITY).unwrap() + 10 {
        permits.lease_request(&other(number), 1, 1, NOW);
    }
    assert!(permits.0.len() <= CAPACITY);
    assert!(permits.spend(&key, 1, NOW).is_some());
}

#[test]
fn standing_expires_with_the_longest_lease() {
    let (mut permits, key) = (Permits::default(), record());
    assert_eq!(permits.standing(&key, NOW), None, "nothing is known of the key");
    permits.lease_request(&key, 1, 1, NOW);
    assert_eq!(permits.standing(&key, NOW), None);
    permits.add_lease(&key, lease(1, 4), NOW, NOW);
    let left = |permits: &Permits, now| permits.standing(&key, now).map(|standing| standing.rate.unwrap());
    assert_eq!(left(&permits, NOW.plus(1_000)), Some((44, 8_000).into()), "with the permits held here");
    assert!(permits.spend(&key, 3, NOW).is_some());
    assert_eq!(left(&permits, NOW.plus(LEASE_MAX - 1)), Some((41, 7_001).into()));
    assert_eq!((left(&permits, NOW.plus(LEASE_MAX)), left(&permits, NOW.plus(-1))), (None, None));
    assert_eq!(permits.standing(&Record { version: 4, ..record() }, NOW), None, "the limits are others");
    let standing = LimitState { rate: Some((0, 500).into()), quota: None };
    permits.apply_refusal(
        &key,
        9,
        Refusal { by_quota: false, retry_after: 500, standing },
        NOW.plus(3_000),
        NOW.plus(3_000),
    );
    assert_eq!(left(&permits, NOW.plus(3_100)), Some((0, 400).into()), "a refusal reports the standing, too");
}

#[test]
fn permit_comes_back_if_its_request_reached_no_service() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(1, 2), NOW, NOW);
    let spend = |permits: &mut Permits, now| permits.spend(&key, 1, now).unwrap().unwrap().lease;
    for _ in 0..2 {
        let lease = spend(&mut permits, NOW);
        permits.mark_in_flight(key.locator, lease);
    }
    assert_eq!(permits.spend(&key, 1, NOW), None, "both permits are spent");
    permits.settle(key.locator, 1, false);
    permits.settle(key.locator, 1, true);
    assert_eq!(spend(&mut permits, NOW), 1, "one permit came back");
    permits.settle(key.locator, 1, false);
    assert_eq!(permits.spend(&key, 1, NOW), None, "no request is in flight");
    permits.settle(key.locator, 9, false);
}

#[test]
fn lease_with_requests_in_flight_is_kept() {
    let (mut permits, key) = (Permits::default(), record());
    permits.add_lease(&key, lease(1, 1), NOW, NOW);
    permits.spend(&key, 1, NOW).unwrap().unwrap();
    permits.mark_in_flight(key.locator, 1);
    let later = NOW.plus(30_000);
    let unspent = |permits: &mut Permits, version| permits.take_unspent(key.locator, key.limits, version, later);
    assert_eq!(unspent(&mut permits, key.version), None, "the permit may come back");
    // Another record decides meanwhile.
    let after = Record { version: key.version + 1, ..key.clone() };
    assert_eq!(permits.spend(&after, 1, later), None);
    permits.settle(key.locator, 1, false);
    let unused = unspent(&mut permits, after.version).unwrap().unused;
    assert_eq!(unused, [ReturnedPermits { lease: 1, permits: 1 }]);
}

#[test]
fn costly_request_combines_held_and_leased_permits() {
    let quota = Quota { limit: 500, period: Period::Month };
    let (mut permits, mut key) = (Permits::default(), record());
    key.limits = Limits { rate: None, quota: Some(quota) };
    let refusal = |left| {
        let standing = LimitState { rate: None, quota: Some((left, 9_000).into()) };
        Refusal { by_quota: true, retry_after: 9_000, standing }
    };
    permits.add_lease(&key, lease(1, 6), NOW, NOW);
    assert_eq!(permits.lease_request(&key, 7, 1, NOW).need, 7);
    assert!(!permits.apply_refusal(&key, 7, refusal(4), NOW, NOW), "10 permits are left");
    assert_eq!(permits.spend(&key, 7, NOW), None, "the meter is asked again");
    assert_eq!(permits.lease_request(&key, 7, 2, NOW).need, 1);
    permits.add_lease(&key, lease(2, 1), NOW, NOW);
    assert!(permits.spend(&key, 7, NOW).unwrap().is_ok());
    assert_eq!(permits.lease_request(&key, 7, 3, NOW).need, 7, "once");
    assert!(permits.apply_refusal(&key, 7, refusal(6), NOW, NOW), "no permit is held");
}
