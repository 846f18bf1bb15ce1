//! Proves that a clock that was set back prolongs no wait and refills no quota.

use super::*;

#[test]
fn a_clock_that_was_set_back_prolongs_no_wait() {
    let limits = Limits { rate: rate(3, 60).rate, ..quota(5) };
    let refused = |meter: &mut MeterState, now| match meter.take(&ask(limits, 1, 0), now) {
        LeaseResponse::Refused(refusal) => (refusal.by_quota, refusal.retry_after),
        LeaseResponse::Lease(_) => unreachable!(),
    };
    let ahead = NOW.plus(400 * crate::time::DAY);
    let mut meter = MeterState::default();
    assert_eq!(permits(meter.take(&ask(limits, 3, 0), ahead)), 3);
    assert!(meter.look(limits, 1, 1, NOW).refusal.is_some_and(|refusal| refusal.retry_after == 62_000));
    // The wait continues, although each request reads the state that the previous one stored.
    assert_eq!(refused(&mut meter, NOW), (false, 62_000));
    let mut meter = MeterState::decode(&meter.encode().unwrap()).unwrap();
    assert_eq!(refused(&mut meter, NOW.plus(1_000)), (false, 61_000));
    assert_eq!(permits(meter.take(&ask(limits, 2, 0), NOW.plus(62_000))), 2);
    // Permits from the future clock count towards the current day, and not beyond it.
    assert!(refused(&mut meter, NOW.plus(200_000)).0);
    assert_eq!(permits(meter.take(&ask(limits, 3, 0), Period::Day.end(NOW))), 3);
}

#[test]
fn a_clock_that_was_set_back_a_little_refills_no_quota() {
    let mut meter = MeterState::default();
    let midnight = Period::Day.end(NOW);
    assert_eq!(permits(meter.take(&ask(quota(3), 3, 0), midnight.plus(1_000))), 3);
    assert_eq!(permits(meter.take(&ask(quota(3), 1, 0), midnight.plus(-60_000))), 0);
    assert_eq!(permits(meter.take(&ask(quota(3), 1, 0), midnight.plus(60_000))), 0);
}
