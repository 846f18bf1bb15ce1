//! Keys with limits: permits for each call, and what is known to be left.

use super::*;
use ownchat_domain::{
    limit::{Limits, Period, Quota, RateLimit},
    meter::{Meter, Taken, Unused},
};

#[test]
fn a_limited_key_needs_permits_and_a_refused_call_costs_none() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    gate.learn(&key, copy(Record { limits, ..record() }, NOW));
    let Step::Take(limited) = gate.step(&key, &ANY, false, NOW) else { unreachable!() };
    let question = gate.question(&limited, 1, 1, NOW);
    assert_eq!((question.need, question.version, question.limits), (1, 3, limits));
    let lease = Lease { number: 1, permits: 3, lasts: 2_000, standing: Standing::default() };
    gate.lease(&limited, lease, NOW, NOW);
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW)), Ok(()));
    let missing = Wanted { call: Call { required: ScopeSet::full(), ..ANY.call }, cost: 1, caller: None };
    assert_eq!(verdict(gate.step(&key, &missing, false, NOW)), Err(Code::ScopeMissing));
    assert_eq!(verdict(gate.step(&key, &Wanted { cost: 0, ..ANY }, false, NOW)), Ok(()), "looking costs nothing");
    assert_eq!(verdict(gate.step(&key, &Wanted { cost: 2, ..ANY }, false, NOW)), Ok(()));
    assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::Take(_)), "they are spent");
}

#[test]
fn a_limited_key_that_is_forgiven_an_outage_still_needs_permits() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    let mut forgiven = Record { limits, ..record() };
    forgiven.workspace.outage_seconds = 60;
    gate.learn(&key, copy(forgiven, NOW));
    let later = NOW.plus(30 * SECOND);
    assert!(matches!(gate.step(&key, &ANY, true, later), Step::ReadFeed));
    let Step::Take(limited) = gate.step_alone(&key, &ANY, later) else { unreachable!() };
    gate.question(&limited, 1, 1, later);
    let lease = Lease { number: 1, permits: 1, lasts: 2_000, standing: Standing::default() };
    gate.lease(&limited, lease, later, later);
    assert_eq!(verdict(gate.step_alone(&key, &ANY, later)), Ok(()));
    assert!(matches!(gate.step_alone(&key, &ANY, later), Step::Take(_)), "it is spent");
    assert_eq!(verdict(gate.step_alone(&key, &ANY, NOW.plus(60 * SECOND))), Err(Code::Unavailable));
}

/// The key of [`record`] in this version, with a quota; the feed told of it, and the vault was asked.
fn change(gate: &Gate, version: u64, quota: u32, now: Timestamp) -> Presented {
    let key = presented(gate);
    hear(gate, vec![Entry { subject: Subject::Key(key.locator), version }], now);
    let limits = Limits { rate: None, quota: Some(Quota { limit: quota, period: Period::Day }) };
    gate.learn(&key, copy(Record { version, limits, ..record() }, now));
    key
}

fn lease(number: u64, permits: u32) -> Lease {
    Lease { number, permits, lasts: 2_000, standing: Standing::default() }
}

#[test]
fn permits_of_an_older_record_are_given_back_once_a_newer_one_is_known() {
    let gate = gate();
    let key = change(&gate, 3, 10_000, NOW);
    let Step::Take(before) = gate.step(&key, &ANY, false, NOW) else { unreachable!() };
    gate.question(&before, 1, 1, NOW);
    gate.lease(&before, lease(1, 251), NOW, NOW);
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW)), Ok(()));
    gate.question(&before, 300, 2, NOW);
    change(&gate, 4, 10, NOW.plus(1));
    let Step::Take(after) = gate.step(&key, &ANY, false, NOW.plus(1)) else { unreachable!("they are spent") };
    let question = gate.question(&after, 1, 3, NOW.plus(1));
    assert_eq!((question.version, question.unused), (4, vec![Unused { lease: 1, permits: 250 }]));
    // What was asked for before comes afterwards.
    gate.lease(&before, lease(2, 400), NOW, NOW.plus(2));
    let Step::Take(after) = gate.step(&key, &ANY, false, NOW.plus(2)) else { unreachable!("they are spent") };
    assert_eq!(gate.question(&after, 1, 4, NOW.plus(2)).unused, [Unused { lease: 2, permits: 400 }]);
    gate.lease(&after, lease(4, 1), NOW.plus(2), NOW.plus(2));
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW.plus(2))), Ok(()));
}

#[test]
fn a_change_of_something_else_refuses_nothing() {
    let gate = gate();
    let key = change(&gate, 3, 10, NOW);
    let Step::Take(before) = gate.step(&key, &ANY, false, NOW) else { unreachable!() };
    gate.question(&before, 1, 1, NOW);
    let refusal = Refusal { by_quota: true, retry_after: 9_000, standing: Standing::default() };
    assert!(gate.no_lease(&before, 1, refusal, NOW, NOW).is_some());
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW.plus(1))), Err(Code::QuotaExceeded));
    change(&gate, 4, 10, NOW.plus(2));
    let Step::Take(after) = gate.step(&key, &ANY, false, NOW.plus(2)) else { unreachable!("it is asked anew") };
    gate.question(&after, 1, 2, NOW.plus(2));
    assert!(gate.no_lease(&before, 1, refusal, NOW.plus(1), NOW.plus(3)).is_none(), "that was said of the one before");
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(3)), Step::Take(_)));
    gate.lease(&after, lease(2, 1), NOW.plus(2), NOW.plus(3));
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW.plus(3))), Ok(()));
}

#[test]
fn what_costs_more_than_a_whole_limit_is_refused_without_a_question_for_each_call() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    gate.learn(&key, copy(Record { limits, ..record() }, NOW));
    let costly = Wanted { cost: 10, ..ANY };
    let Step::Take(limited) = gate.step(&key, &costly, false, NOW) else { unreachable!() };
    let Taken::Refused(refusal) = Meter::default().take(&gate.question(&limited, 10, 1, NOW), NOW) else {
        unreachable!()
    };
    let first = gate.no_lease(&limited, 10, refusal, NOW, NOW).unwrap();
    assert_eq!(first.verdict, Err(Denial::TooCostly { by_quota: false, retry_after: 60_000 }));
    let Step::Done(again) = gate.step(&key, &costly, false, NOW.plus(200)) else { unreachable!() };
    assert_eq!(again.verdict.unwrap_err().retry_after(), Some(60));
    assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::Take(_)), "less may be had");
}

#[test]
fn of_a_limited_key_every_answer_tells_what_is_known_to_be_left() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    let limits = Limits { rate: Some(RateLimit { limit: 9, window_seconds: 60 }), quota: None };
    gate.learn(&key, copy(Record { limits, ..record() }, NOW));
    let missing = Wanted { call: Call { required: ScopeSet::full(), ..ANY.call }, ..ANY };
    let look = Wanted { cost: 0, ..ANY };
    let told = |wanted: &Wanted<'_>, now| match gate.step(&key, wanted, false, now) {
        Step::Done(checked) => {
            Some((checked.record.is_some_and(|record| record.limits == limits), checked.standing.rate))
        }
        Step::Look(record) => {
            assert_eq!(record.limits, limits);
            None
        }
        step => unreachable!("{step:?}"),
    };
    assert_eq!((told(&missing, NOW), told(&look, NOW)), (None, None), "nothing is known yet");
    let all = Standing { rate: Some((9, 0)), quota: None };
    gate.told(&Record { limits, ..record() }, all, NOW);
    assert_eq!((told(&missing, NOW), told(&look, NOW)), (Some((true, Some((9, 0)))), Some((true, Some((9, 0))))));
    let Step::Take(limited) = gate.step(&key, &ANY, false, NOW) else { unreachable!() };
    let lease =
        Lease { number: 1, permits: 3, lasts: 2_000, standing: Standing { rate: Some((6, 62_000)), quota: None } };
    gate.lease(&limited, lease, NOW, NOW);
    let later = NOW.plus(1_000);
    assert_eq!(told(&missing, later), Some((true, Some((9, 61_000)))));
    let eight = Some((true, Some((8, 61_000))));
    assert_eq!((told(&ANY, later), told(&look, later)), (eight, eight));
    assert_eq!(told(&missing, NOW.plus(2_500)), None, "it may have changed by then");
    // A meter that does not answer is not asked again at once, and nobody is told.
    gate.told(&Record { limits, ..record() }, Standing::default(), NOW.plus(2_500));
    assert_eq!(told(&missing, NOW.plus(4_499)), Some((true, None)));
    assert_eq!(told(&missing, NOW.plus(4_500)), None);
}
