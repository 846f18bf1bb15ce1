//! Keys with limits: permits for each request, and the standing that responses report.

use super::*;
use ownchat_domain::{
    limit::{Limits, Period, Quota, RateLimit},
    meter::{LeaseResponse, MeterState, ReturnedPermits},
};

#[test]
fn limited_key_needs_permits_and_a_denial_costs_none() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    authorizer.cache_key(&key, cached(Record { limits, ..record() }, NOW));
    let Evaluation::NeedsPermits(limited) = authorizer.evaluate(&key, &ANY, false, NOW) else { unreachable!() };
    let request = authorizer.lease_request(&limited, 1, 1, NOW);
    assert_eq!((request.need, request.version, request.limits), (1, 3, limits));
    let lease = Lease { number: 1, permits: 3, lasts: 2_000, standing: LimitState::default() };
    authorizer.add_lease(&limited, lease, NOW, NOW);
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Ok(()));
    let missing =
        Requirements { request: AccessRequest { required: ScopeSet::full(), ..ANY.request }, cost: 1, client_ip: None };
    assert_eq!(verdict(authorizer.evaluate(&key, &missing, false, NOW)), Err(Code::ScopeMissing));
    assert_eq!(
        verdict(authorizer.evaluate(&key, &Requirements { cost: 0, ..ANY }, false, NOW)),
        Ok(()),
        "a cost of 0 needs no permit"
    );
    assert_eq!(verdict(authorizer.evaluate(&key, &Requirements { cost: 2, ..ANY }, false, NOW)), Ok(()));
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsPermits(_)),
        "the permits are spent"
    );
}

#[test]
fn outage_tolerance_does_not_replace_permits() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    let mut tolerant = Record { limits, ..record() };
    tolerant.workspace.outage_seconds = 60;
    authorizer.cache_key(&key, cached(tolerant, NOW));
    let later = NOW.plus(30 * SECOND);
    assert!(matches!(authorizer.evaluate(&key, &ANY, true, later), Evaluation::NeedsFeed));
    let Evaluation::NeedsPermits(limited) = authorizer.evaluate_offline(&key, &ANY, later) else { unreachable!() };
    authorizer.lease_request(&limited, 1, 1, later);
    let lease = Lease { number: 1, permits: 1, lasts: 2_000, standing: LimitState::default() };
    authorizer.add_lease(&limited, lease, later, later);
    assert_eq!(verdict(authorizer.evaluate_offline(&key, &ANY, later)), Ok(()));
    assert!(
        matches!(authorizer.evaluate_offline(&key, &ANY, later), Evaluation::NeedsPermits(_)),
        "the permit is spent"
    );
    assert_eq!(verdict(authorizer.evaluate_offline(&key, &ANY, NOW.plus(60 * SECOND))), Err(Code::Unavailable));
}

/// Caches the key of [`record`] in this version with a quota, after a page of the feed named it.
fn change(authorizer: &Authorizer, version: u64, quota: u32, now: Timestamp) -> PresentedKey {
    let key = presented(authorizer);
    apply_feed(authorizer, vec![Entry { subject: Affected::Key(key.locator), version }], now);
    let limits = Limits { rate: None, quota: Some(Quota { limit: quota, period: Period::Day }) };
    authorizer.cache_key(&key, cached(Record { version, limits, ..record() }, now));
    key
}

fn lease(number: u64, permits: u32) -> Lease {
    Lease { number, permits, lasts: 2_000, standing: LimitState::default() }
}

#[test]
fn permits_of_an_older_version_are_returned() {
    let authorizer = authorizer();
    let key = change(&authorizer, 3, 10_000, NOW);
    let Evaluation::NeedsPermits(before) = authorizer.evaluate(&key, &ANY, false, NOW) else { unreachable!() };
    authorizer.lease_request(&before, 1, 1, NOW);
    authorizer.add_lease(&before, lease(1, 251), NOW, NOW);
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Ok(()));
    authorizer.lease_request(&before, 300, 2, NOW);
    change(&authorizer, 4, 10, NOW.plus(1));
    let Evaluation::NeedsPermits(after) = authorizer.evaluate(&key, &ANY, false, NOW.plus(1)) else {
        unreachable!("the permits are spent")
    };
    let request = authorizer.lease_request(&after, 1, 3, NOW.plus(1));
    assert_eq!((request.version, request.unused), (4, vec![ReturnedPermits { lease: 1, permits: 250 }]));
    // The lease requested before arrives afterwards.
    authorizer.add_lease(&before, lease(2, 400), NOW, NOW.plus(2));
    let Evaluation::NeedsPermits(after) = authorizer.evaluate(&key, &ANY, false, NOW.plus(2)) else {
        unreachable!("the permits are spent")
    };
    assert_eq!(
        authorizer.lease_request(&after, 1, 4, NOW.plus(2)).unused,
        [ReturnedPermits { lease: 2, permits: 400 }]
    );
    authorizer.add_lease(&after, lease(4, 1), NOW.plus(2), NOW.plus(2));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(2))), Ok(()));
}

#[test]
fn refusal_does_not_outlive_its_record_version() {
    let authorizer = authorizer();
    let key = change(&authorizer, 3, 10, NOW);
    let Evaluation::NeedsPermits(before) = authorizer.evaluate(&key, &ANY, false, NOW) else { unreachable!() };
    authorizer.lease_request(&before, 1, 1, NOW);
    let refusal = Refusal { by_quota: true, retry_after: 9_000, standing: LimitState::default() };
    assert!(authorizer.apply_refusal(&before, 1, refusal, NOW, NOW).is_some());
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(1))), Err(Code::QuotaExceeded));
    change(&authorizer, 4, 10, NOW.plus(2));
    let Evaluation::NeedsPermits(after) = authorizer.evaluate(&key, &ANY, false, NOW.plus(2)) else {
        unreachable!("the meter is asked again")
    };
    authorizer.lease_request(&after, 1, 2, NOW.plus(2));
    assert!(
        authorizer.apply_refusal(&before, 1, refusal, NOW.plus(1), NOW.plus(3)).is_none(),
        "the refusal was for the older version"
    );
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(3)), Evaluation::NeedsPermits(_)));
    authorizer.add_lease(&after, lease(2, 1), NOW.plus(2), NOW.plus(3));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(3))), Ok(()));
}

#[test]
fn refusal_of_an_excessive_cost_is_cached() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    authorizer.cache_key(&key, cached(Record { limits, ..record() }, NOW));
    let costly = Requirements { cost: 10, ..ANY };
    let Evaluation::NeedsPermits(limited) = authorizer.evaluate(&key, &costly, false, NOW) else { unreachable!() };
    let LeaseResponse::Refused(refusal) =
        MeterState::default().take(&authorizer.lease_request(&limited, 10, 1, NOW), NOW)
    else {
        unreachable!()
    };
    let first = authorizer.apply_refusal(&limited, 10, refusal, NOW, NOW).unwrap();
    assert_eq!(first.verdict, Err(Denial::TooCostly { by_quota: false, retry_after: 60_000 }));
    let Evaluation::Decided(repeated) = authorizer.evaluate(&key, &costly, false, NOW.plus(200)) else {
        unreachable!()
    };
    assert_eq!(repeated.verdict.unwrap_err().retry_after(), Some(60));
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsPermits(_)),
        "a lower cost may pass"
    );
}

#[test]
fn every_decision_of_a_limited_key_reports_its_standing() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    authorizer.cache_key(&key, cached(Record { limits, ..record() }, NOW));
    let missing = Requirements { request: AccessRequest { required: ScopeSet::full(), ..ANY.request }, ..ANY };
    let free = Requirements { cost: 0, ..ANY };
    let standing_of = |requirements: &Requirements<'_>, now| match authorizer.evaluate(&key, requirements, false, now) {
        Evaluation::Decided(decision) => {
            Some((decision.record.is_some_and(|record| record.limits == limits), decision.standing.rate))
        }
        Evaluation::NeedsStanding(record) => {
            assert_eq!(record.limits, limits);
            None
        }
        step => unreachable!("{step:?}"),
    };
    assert_eq!((standing_of(&missing, NOW), standing_of(&free, NOW)), (None, None), "the standing is unknown");
    let all = LimitState { rate: Some((9, 0).into()), quota: None };
    authorizer.set_standing(&Record { limits, ..record() }, all, NOW);
    assert_eq!(
        (standing_of(&missing, NOW), standing_of(&free, NOW)),
        (Some((true, Some((9, 0).into()))), Some((true, Some((9, 0).into()))))
    );
    let Evaluation::NeedsPermits(limited) = authorizer.evaluate(&key, &ANY, false, NOW) else { unreachable!() };
    let lease = Lease {
        number: 1,
        permits: 3,
        lasts: 2_000,
        standing: LimitState { rate: Some((6, 62_000).into()), quota: None },
    };
    authorizer.add_lease(&limited, lease, NOW, NOW);
    let later = NOW.plus(1_000);
    assert_eq!(standing_of(&missing, later), Some((true, Some((9, 61_000).into()))));
    let eight = Some((true, Some((8, 61_000).into())));
    assert_eq!((standing_of(&ANY, later), standing_of(&free, later)), (eight, eight));
    assert_eq!(standing_of(&missing, NOW.plus(2_500)), None, "the standing may have changed");
    // A meter that fails is not queried again at once, and the standing stays unknown.
    authorizer.set_standing(&Record { limits, ..record() }, LimitState::default(), NOW.plus(2_500));
    assert_eq!(standing_of(&missing, NOW.plus(4_499)), Some((true, None)));
    assert_eq!(standing_of(&missing, NOW.plus(4_500)), None);
}
