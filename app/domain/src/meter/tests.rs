//! Proves that limits are never exceeded, and that unused permits return.

mod at_random;
mod clock;

use super::*;
use crate::limit::{Period, Quota};
use crate::wire::WireError;

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn rate(limit: u32, window_seconds: u32) -> Limits {
    Limits { rate: Some(RateLimit { limit, window_seconds }), quota: None }
}

fn quota(limit: u32) -> Limits {
    Limits { rate: None, quota: Some(Quota { limit, period: Period::Day }) }
}

fn ask(limits: Limits, need: u32, spare: u32) -> LeaseRequest {
    LeaseRequest { limits, version: 1, need, spare, ..LeaseRequest::default() }
}

fn permits(taken: LeaseResponse) -> u32 {
    match taken {
        LeaseResponse::Lease(lease) => lease.permits,
        LeaseResponse::Refused(_) => 0,
    }
}

#[test]
fn a_rate_limit_refuses_and_says_when_to_come_back() {
    let mut meter = MeterState::default();
    for _ in 0..3 {
        assert_eq!(permits(meter.take(&ask(rate(3, 60), 1, 0), NOW)), 1);
    }
    let LeaseResponse::Refused(refusal) = meter.take(&ask(rate(3, 60), 1, 0), NOW.plus(1_000)) else { unreachable!() };
    assert!(!refusal.by_quota);
    // The lease lasts 2 s, the window 60 s.
    assert_eq!(refusal.retry_after, 61_000);
    assert_eq!(refusal.standing.rate, Some((0, 61_000).into()));
    assert_eq!(permits(meter.take(&ask(rate(3, 60), 1, 0), NOW.plus(61_999))), 0);
    assert_eq!(permits(meter.take(&ask(rate(3, 60), 3, 0), NOW.plus(62_000))), 3);
}

#[test]
fn a_permit_counts_for_one_window_after_its_reported_use() {
    let limits = rate(1, 60);
    for (idle, free_at) in [(None, 61_900), (Some(1_800), 60_100), (Some(5_000), 60_000)] {
        let mut meter = MeterState::default();
        let LeaseResponse::Lease(lease) = meter.take(&ask(limits, 1, 0), NOW) else { unreachable!() };
        let used_up = ReturnedPermits { lease: lease.number, permits: 0 };
        let told = LeaseRequest { unused: vec![used_up], idle: idle.into_iter().collect(), ..ask(limits, 1, 0) };
        assert_eq!(permits(meter.take(&told, NOW.plus(1_900))), 0);
        assert_eq!(permits(meter.take(&ask(limits, 1, 0), NOW.plus(free_at - 1))), 0, "{idle:?}");
        assert_eq!(permits(meter.take(&ask(limits, 1, 0), NOW.plus(free_at))), 1, "{idle:?}");
    }
}

#[test]
fn the_guaranteed_rate_allows_for_many_isolates() {
    for (limit, window_seconds, guaranteed) in
        [(10, 1, 6), (100, 60, 96), (3, 60, 2), (1, 1, 0), (1_000_000_000, 86_400, 999_976_852)]
    {
        assert_eq!(RateLimit { limit, window_seconds }.guaranteed(), guaranteed);
    }
}

#[test]
fn where_rate_and_quota_refuse_the_rate_is_named() {
    let limits = Limits { rate: rate(3, 60).rate, ..quota(3) };
    let mut meter = MeterState::default();
    meter.take(&ask(limits, 3, 0), NOW);
    let LeaseResponse::Refused(refusal) = meter.take(&ask(limits, 1, 0), NOW) else { unreachable!() };
    assert_eq!((refusal.by_quota, refusal.retry_after), (false, 62_000));
    let later = NOW.plus(62_000);
    let LeaseResponse::Refused(refusal) = meter.take(&ask(limits, 1, 0), later) else { unreachable!() };
    assert_eq!((refusal.by_quota, refusal.retry_after), (true, Period::Day.end(NOW).since(later)));
}

#[test]
fn a_cost_above_the_limit_may_retry_after_a_whole_window() {
    let refusal = |limits, need| match MeterState::default().take(&ask(limits, need, 0), NOW) {
        LeaseResponse::Refused(refusal) => (refusal.by_quota, refusal.retry_after),
        LeaseResponse::Lease(_) => unreachable!(),
    };
    assert_eq!(refusal(rate(3, 60), 4), (false, 60_000));
    assert_eq!(refusal(quota(3), 4), (true, Period::Day.end(NOW).since(NOW)));
    let mut used = MeterState::default();
    used.take(&ask(rate(3, 60), 1, 0), NOW);
    let LeaseResponse::Refused(refusal) = used.take(&ask(rate(3, 60), 4, 0), NOW.plus(61_000)) else { unreachable!() };
    assert_eq!(refusal.retry_after, 60_000);
}

#[test]
fn a_quota_is_used_up_exactly_and_refilled_by_the_calendar() {
    let mut meter = MeterState::default();
    let mut passed = 0;
    while let taken @ LeaseResponse::Lease(_) = meter.take(&ask(quota(500), 1, 40), NOW) {
        passed += permits(taken);
    }
    assert_eq!(passed, 500);
    let LeaseResponse::Refused(refusal) = meter.take(&ask(quota(500), 1, 0), NOW) else { unreachable!() };
    assert!(refusal.by_quota);
    let midnight = Period::Day.end(NOW);
    assert_eq!(refusal.retry_after, midnight.since(NOW));
    assert_eq!(permits(meter.take(&ask(quota(500), 1, 0), midnight.plus(-1))), 0);
    assert_eq!(permits(meter.take(&ask(quota(500), 500, 0), midnight)), 500);
}

#[test]
fn a_lease_ends_with_its_period() {
    let mut meter = MeterState::default();
    let late = Period::Day.end(NOW).plus(-300);
    let LeaseResponse::Lease(lease) = meter.take(&ask(quota(5), 1, 0), late) else { unreachable!() };
    assert_eq!(lease.lasts, 300);
}

#[test]
fn returned_permits_can_be_leased_again_once() {
    let mut meter = MeterState::default();
    let LeaseResponse::Lease(lease) = meter.take(&ask(quota(80), 1, 9), NOW) else { unreachable!() };
    assert_eq!((lease.permits, lease.standing.quota.map(|rest| rest.permits)), (10, Some(70)));
    let back = ReturnedPermits { lease: lease.number, permits: 9 };
    let giving = LeaseRequest { unused: vec![back, back], ..ask(quota(80), 0, 0) };
    let LeaseResponse::Lease(after) = meter.take(&giving, NOW.plus(5_000)) else { unreachable!() };
    assert_eq!(after.standing.quota.map(|rest| rest.permits), Some(79));
    meter.take(&giving, NOW.plus(5_001));
    assert_eq!(meter.standing(NOW).quota.map(|rest| rest.permits), Some(79), "it came back twice");
    let made_up = LeaseRequest { unused: vec![ReturnedPermits { lease: 99, permits: 50 }], ..ask(quota(80), 0, 0) };
    meter.take(&made_up, NOW.plus(5_002));
    assert_eq!(meter.standing(NOW).quota.map(|rest| rest.permits), Some(79));
}

#[test]
fn a_call_that_costs_more_than_is_left_leaves_it_there() {
    let mut meter = MeterState::default();
    assert_eq!(permits(meter.take(&ask(quota(10), 8, 0), NOW)), 8);
    assert_eq!(permits(meter.take(&ask(quota(10), 3, 0), NOW)), 0);
    assert_eq!(permits(meter.take(&ask(quota(10), 2, 0), NOW)), 2);
}

#[test]
fn limits_of_an_older_record_are_not_believed() {
    let mut meter = MeterState::default();
    let newer = LeaseRequest { version: 5, ..ask(quota(2), 1, 0) };
    assert_eq!(permits(meter.take(&newer, NOW)), 1);
    assert_eq!(permits(meter.take(&ask(quota(1_000), 2, 0), NOW)), 0);
    assert_eq!(permits(meter.take(&ask(quota(1_000), 1, 0), NOW)), 1);
}

/// A key imported from an older file has a smaller version, which its meter is told to accept.
#[test]
fn permits_from_before_a_loss_return_and_set_no_limits() {
    let (mut meter, name) = (MeterState::default(), NAMED + 5);
    let before = LeaseRequest { version: 9, name, ..ask(quota(1_000), 1, 40) };
    assert_eq!(permits(meter.take(&before, NOW)), 41);
    meter.believe_anew();
    for (lease, permits) in [(name, 40), (NAMED + 6, ALL)] {
        let back = vec![ReturnedPermits { lease, permits }];
        meter.take(&LeaseRequest { version: 9, unused: back, ..ask(quota(1_000), 0, 0) }, NOW.plus(1));
    }
    assert_eq!(permits(meter.take(&ask(quota(3), 1, 0), NOW.plus(2))), 1);
    assert_eq!(permits(meter.take(&ask(quota(3), 2, 0), NOW.plus(2))), 0, "of the limits of version 1");
    assert_eq!(left_of_quota(&meter), 1, "one was used before, and one since");
}

#[test]
fn limits_of_an_older_record_are_believed_again_the_next_day() {
    let (mut meter, next) = (MeterState::default(), Period::Day.end(NOW));
    meter.take(&LeaseRequest { version: 9, ..ask(quota(1_000), 1, 0) }, NOW);
    assert_eq!(permits(meter.take(&ask(quota(2), 3, 0), next.plus(-1))), 3);
    assert_eq!(permits(meter.take(&ask(quota(2), 3, 0), next)), 0);
    assert_eq!(permits(meter.take(&LeaseRequest { version: 9, ..ask(quota(1_000), 3, 0) }, next)), 3);
    assert_eq!(permits(meter.take(&ask(quota(2), 3, 0), next.plus(1))), 3, "a newer one was seen today");
}

#[test]
fn the_state_of_a_meter_stays_small() {
    let mut meter = MeterState::default();
    let mut unused = Vec::new();
    for step in 0..10_000 {
        let question = LeaseRequest { unused, ..ask(rate(1_000_000, 60), 1, 0) };
        let LeaseResponse::Lease(lease) = meter.take(&question, NOW.plus(step * 10)) else { unreachable!() };
        unused = vec![ReturnedPermits { lease: lease.number, permits: 0 }];
    }
    assert!(meter.grants.len() < 120, "{}", meter.grants.len());
    assert!(meter.encode().unwrap().len() < 2_500);
}

fn give(unused: &[ReturnedPermits]) -> LeaseRequest {
    LeaseRequest { unused: unused.to_vec(), ..ask(BOTH, 0, 0) }
}

fn left_of_quota(meter: &MeterState) -> u32 {
    meter.standing(NOW).quota.unwrap().permits
}

const BOTH: Limits = Limits {
    rate: Some(RateLimit { limit: 1_000, window_seconds: 1 }),
    quota: Some(Quota { limit: 100, period: Period::Day }),
};

#[test]
fn a_lease_that_came_too_late_is_returned_whole() {
    let mut meter = MeterState::default();
    let LeaseResponse::Lease(lease) = meter.take(&ask(BOTH, 3, 0), NOW) else { unreachable!() };
    assert_eq!(left_of_quota(&meter), 97);
    let back = give(&[ReturnedPermits { lease: lease.number, permits: 3 }]);
    meter.take(&back, NOW.plus(lease.lasts + RETURN_LIMIT - 1));
    assert_eq!(left_of_quota(&meter), 100);
    let LeaseResponse::Lease(lease) = meter.take(&ask(BOTH, 3, 0), NOW) else { unreachable!() };
    meter.take(&ask(BOTH, 0, 0), NOW.plus(lease.lasts + RETURN_LIMIT));
    meter.take(&give(&[ReturnedPermits { lease: lease.number, permits: 3 }]), NOW.plus(lease.lasts + RETURN_LIMIT));
    assert_eq!(left_of_quota(&meter), 97, "that was too late");
}

#[test]
fn a_lease_whose_answer_never_came_is_given_back_by_its_name() {
    let (mut meter, name) = (MeterState::default(), NAMED + 5);
    let LeaseResponse::Lease(lease) = meter.take(&LeaseRequest { name, ..ask(BOTH, 3, 40) }, NOW) else {
        unreachable!()
    };
    assert_eq!((lease.number, lease.permits), (name, 15));
    let all = give(&[ReturnedPermits { lease: name, permits: ALL }]);
    meter.take(&all, NOW.plus(2_000));
    assert_eq!(left_of_quota(&meter), 100);
    meter.take(&all, NOW.plus(2_001));
    assert_eq!(left_of_quota(&meter), 100, "it came back twice");
}

#[test]
fn a_question_that_arrives_after_it_was_given_up_gets_nothing() {
    let (mut meter, name) = (MeterState::default(), NAMED + 5);
    meter.take(&give(&[ReturnedPermits { lease: name, permits: ALL }]), NOW);
    let question = LeaseRequest { name, ..ask(BOTH, 3, 40) };
    assert_eq!(permits(meter.take(&question, NOW.plus(900))), 0);
    assert_eq!(left_of_quota(&meter), 100);
    assert_eq!(permits(meter.take(&question, NOW.plus(901))), 15, "once is enough");
    for (name, late) in [(NAMED + 6, RETURN_LIMIT - 1), (NAMED + 7, RETURN_LIMIT)] {
        meter.take(&give(&[ReturnedPermits { lease: name, permits: ALL }]), NOW);
        let taken = meter.take(&LeaseRequest { name, ..ask(BOTH, 1, 0) }, NOW.plus(late));
        assert_eq!(permits(taken) > 0, late == RETURN_LIMIT, "{late}");
    }
}

#[test]
fn two_leases_never_have_one_number() {
    let (mut meter, name) = (MeterState::default(), NAMED + 5);
    let question = LeaseRequest { name, ..ask(BOTH, 1, 0) };
    let numbers = [(); 3].map(|()| match meter.take(&question, NOW) {
        LeaseResponse::Lease(lease) => lease.number,
        LeaseResponse::Refused(_) => unreachable!(),
    });
    assert_eq!(numbers, [name, 1, 2]);
}

#[test]
fn another_limit_or_period_keeps_the_use_so_far() {
    let (mut meter, month) =
        (MeterState::default(), |limit| Limits { quota: Some(Quota { limit, period: Period::Month }), ..quota(1) });
    let mut version = 0;
    let mut left = |meter: &mut MeterState, limits, now| {
        version += 1;
        meter.take(&ask(limits, 0, 0), now);
        meter.believe(limits, version);
        meter.standing(now).quota.map(|rest| rest.permits)
    };
    let yesterday = Period::Day.start(NOW).plus(-1);
    assert_eq!(left(&mut meter, quota(100), yesterday), Some(100));
    meter.take(&LeaseRequest { version: 1, ..ask(quota(100), 30, 0) }, yesterday);
    meter.take(&LeaseRequest { version: 1, ..ask(quota(100), 8, 0) }, NOW);
    assert_eq!(left(&mut meter, quota(100), NOW), Some(92));
    assert_eq!(left(&mut meter, quota(10), NOW), Some(2), "less");
    assert_eq!(left(&mut meter, quota(5), NOW), Some(0), "less than is used");
    assert_eq!(left(&mut meter, month(100), NOW), Some(62), "by the month");
    assert_eq!(left(&mut meter, rate(1_000, 1), NOW), None);
    meter.take(&LeaseRequest { version: 6, ..ask(rate(1_000, 1), 2, 0) }, NOW);
    assert_eq!(left(&mut meter, quota(100), NOW), Some(90), "by the day again, with what passed without a quota");
    assert_eq!(left(&mut meter, month(100), NOW), Some(60));
    assert_eq!(left(&mut meter, month(100), Period::Month.end(NOW)), Some(100));
}

#[test]
fn a_look_spends_nothing_and_foretells_the_next_decision() {
    let (mut meter, limits) = (MeterState::default(), quota(10));
    meter.take(&ask(limits, 4, 0), NOW);
    let before = meter.clone();
    for need in [0, 1, 6, 7, u32::MAX] {
        let outlook = meter.look(limits, 1, need, NOW);
        assert_eq!(outlook.standing, meter.standing(NOW));
        let foretold = match before.clone().take(&ask(limits, need, 0), NOW) {
            LeaseResponse::Lease(_) => None,
            LeaseResponse::Refused(refusal) => Some(refusal),
        };
        assert_eq!(outlook.refusal, foretold, "{need}");
    }
    assert_eq!(meter, before);
    assert_eq!(meter.look(limits, 1, 10, Period::Day.end(NOW)).refusal, None, "tomorrow");
    assert!(MeterState::default().look(quota(5), 1, 6, NOW).refusal.unwrap().by_quota, "of a key that was never used");
}

#[test]
fn a_request_for_no_permits_gets_the_state_of_its_limits() {
    let told = |meter: &MeterState, limits, version| match meter
        .clone()
        .take(&LeaseRequest { version, ..ask(limits, 0, 0) }, NOW)
    {
        LeaseResponse::Lease(lease) => lease.standing,
        LeaseResponse::Refused(refusal) => unreachable!("{refusal:?}"),
    };
    assert_eq!(told(&MeterState::default(), rate(9, 60), 1).rate, Some((9, 0).into()), "of a key that was never used");
    let mut meter = MeterState::default();
    meter.take(&LeaseRequest { version: 3, ..ask(quota(10), 4, 0) }, NOW);
    let left = |limits, version| told(&meter, limits, version).quota.map(|rest| rest.permits);
    assert_eq!((left(quota(10), 3), left(quota(20), 4)), (Some(6), Some(16)));
    assert_eq!(left(quota(20), 2), Some(6), "limits of an older record are not believed");
    let before = meter.clone();
    meter.take(&LeaseRequest { version: 4, ..ask(quota(20), 0, 0) }, NOW);
    assert_eq!(meter.limits, before.limits, "nothing is changed by it");
}

#[test]
fn changes_by_time_alone_need_not_be_stored() {
    let stored = |meter: &MeterState| MeterState::decode(&meter.encode().unwrap()).unwrap();
    let changes = |meter: &MeterState, ask: &LeaseRequest, now| {
        let mut meter = stored(meter);
        meter.take(ask, now);
        meter.has_changed()
    };
    let mut meter = MeterState::default();
    let name = NAMED + 5;
    let LeaseResponse::Lease(lease) = meter.take(&LeaseRequest { name, ..ask(quota(20), 9, 8) }, NOW) else {
        unreachable!()
    };
    assert!(meter.has_changed() && !stored(&meter).has_changed());
    let give =
        |lease, permits| LeaseRequest { unused: vec![ReturnedPermits { lease, permits }], ..ask(quota(20), 0, 0) };
    for (ask, now, expected) in [
        (ask(quota(20), 1, 0), NOW, true),
        (ask(quota(20), 11, 0), NOW, false),
        (ask(quota(20), 0, 0), Period::Day.end(NOW), false),
        (LeaseRequest { version: 2, ..ask(quota(20), 11, 0) }, NOW, true),
        (give(lease.number, 1), NOW, true),
        (give(7, 1), NOW, false),
        (give(NAMED + 9, ALL), NOW, true),
    ] {
        assert_eq!(changes(&meter, &ask, now), expected, "{ask:?}");
    }
    let full = ask(quota(20), 11, 0);
    let mut read = stored(&meter);
    assert_eq!(read.take(&full, NOW.plus(1)), meter.take(&full, NOW.plus(1)), "it reads as it was written");
}

#[test]
fn leases_of_a_quota_that_nobody_gives_back_are_bounded() {
    let (mut meter, limits) = (MeterState::default(), quota(1_000_000));
    for step in 0..3_000 {
        meter.take(&LeaseRequest { name: NAMED + step, ..ask(limits, 1, 0) }, NOW);
    }
    assert!(meter.grants.len() <= OPEN_MAX + 2, "{}", meter.grants.len());
    meter.take(
        &LeaseRequest { unused: vec![ReturnedPermits { lease: NAMED + 2_999, permits: 1 }], ..ask(limits, 0, 0) },
        NOW,
    );
    assert_eq!(left_of_quota(&meter), 997_001, "the last is not forgotten");
    for step in 0..3_000 {
        let before = vec![ReturnedPermits { lease: NAMED + 4_000 + step, permits: 0 }];
        meter.take(
            &LeaseRequest { name: NAMED + 4_001 + step, unused: before, ..ask(limits, 1, 0) },
            NOW.plus(100_000 + 10 * i64::try_from(step).unwrap()),
        );
    }
    assert!(meter.grants.len() < 5, "{}", meter.grants.len());
}

/// Workers of the previous and the next version read messages, so the bytes are pinned.
#[test]
fn known_answers() {
    use crate::testing::hex;
    let question =
        LeaseRequest { unused: vec![ReturnedPermits { lease: 7, permits: 2 }], version: 300, ..ask(quota(500), 1, 9) };
    assert_eq!(hex(&encode(&question).unwrap()), "010001f40300ac020109010702".to_owned() + "00" + "00");
    let idle = LeaseRequest { idle: vec![300], ..question.clone() };
    assert_eq!(hex(&encode(&idle).unwrap()), "010001f40300ac020109010702".to_owned() + "00" + "01ac02");
    assert_eq!(decode::<LeaseRequest>(&encode(&idle).unwrap()), Ok(idle));
    assert_eq!(decode::<LeaseRequest>(&encode(&question).unwrap()), Ok(question.clone()));
    for later in [1, 2] {
        let mut before = encode(&question).unwrap();
        before.truncate(before.len() - later);
        assert_eq!(decode::<LeaseRequest>(&before), Ok(question.clone()), "as the versions before write it");
    }
    let standing = LimitState { rate: Some((4, 9_000).into()), quota: None };
    let answer = LeaseResponse::Lease(Lease { number: 7, permits: 3, lasts: 2_000, standing });
    assert_eq!(hex(&encode(&answer).unwrap()), "01000703a01f0104d08c0100");
    assert_eq!(decode::<LeaseResponse>(&encode(&answer).unwrap()), Ok(answer));
    assert_eq!(decode::<LeaseResponse>(&[2, 0]), Err(WireError::Layout(2)));
}
