//! Property tests of leases that are granted and returned at random.

use super::*;
use proptest::prelude::*;

/// One step of an isolate: it spends within the lease, late or early, and returns the rest.
#[derive(Clone, Debug)]
struct IsolateStep {
    pause: i64,
    need: u32,
    spare: u32,
    spends: u32,
    delay: i64,
    gives_back: bool,
}

fn steps() -> impl Strategy<Value = Vec<IsolateStep>> {
    let step = (0i64..700, 0u32..4, 0u32..20, 0u32..20, 0i64..2_000, any::<bool>()).prop_map(
        |(pause, need, spare, spends, delay, gives_back)| IsolateStep { pause, need, spare, spends, delay, gives_back },
    );
    proptest::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = (decode::<LeaseRequest>(&bytes), decode::<LeaseResponse>(&bytes));
    }

    /// No window exceeds the limit, however permits are spent within their leases.
    #[test]
    fn no_window_sees_more_than_the_limit(steps in steps(), limit in 1u32..30, seconds in 1u32..6) {
        let limits = rate(limit, seconds);
        let (mut meter, mut now) = (MeterState::default(), NOW);
        let mut spent: Vec<Timestamp> = Vec::new();
        let mut back: Vec<(Timestamp, ReturnedPermits)> = Vec::new();
        for step in steps {
            now = now.plus(step.pause);
            let (due, later): (Vec<_>, Vec<_>) = back.into_iter().partition(|(moment, _)| *moment <= now);
            back = later;
            let unused = due.into_iter().map(|(_, unused)| unused).collect();
            let take = LeaseRequest { unused, ..ask(limits, step.need, step.spare) };
            if let LeaseResponse::Lease(lease) = meter.take(&take, now) {
                prop_assert!(lease.permits >= step.need);
                let used = step.spends.min(lease.permits).max(step.need);
                let last = now.plus(step.delay.min(lease.lasts));
                spent.extend((0..used).map(|_| last));
                if step.gives_back {
                    back.push((last, ReturnedPermits { lease: lease.number, permits: lease.permits - used }));
                }
            }
        }
        spent.sort_unstable();
        let window = i64::from(seconds) * SECOND;
        for (place, begin) in spent.iter().enumerate() {
            let within = spent[place..].iter().take_while(|moment| moment.since(*begin) < window).count();
            prop_assert!(within <= limit as usize, "{} within one window of {}", within, limit);
        }
    }

    /// No period exceeds its quota, however permits are granted and returned.
    #[test]
    fn no_period_sees_more_than_the_quota(steps in steps(), limit in 1u32..60) {
        let mut meter = MeterState::default();
        let (mut now, mut spent) = (Period::Day.end(NOW).plus(-10_000), std::collections::HashMap::new());
        let mut back: Vec<(Timestamp, ReturnedPermits)> = Vec::new();
        for step in steps {
            now = now.plus(step.pause);
            let (due, later): (Vec<_>, Vec<_>) = back.into_iter().partition(|(moment, _)| *moment <= now);
            back = later;
            let unused = due.into_iter().map(|(_, unused)| unused).collect();
            if let LeaseResponse::Lease(lease) = meter.take(&LeaseRequest { unused, ..ask(quota(limit), step.need, step.spare) }, now) {
                let used = step.spends.min(lease.permits).max(step.need);
                // The latest time to spend a permit is just before the lease ends.
                let last = now.plus(step.delay.min(lease.lasts - 1).max(0));
                *spent.entry(Period::Day.start(last)).or_insert(0) += used;
                back.push((now.plus(lease.lasts), ReturnedPermits { lease: lease.number, permits: lease.permits - used }));
            }
        }
        prop_assert!(spent.values().all(|used| *used <= limit), "{:?} of {}", spent, limit);
    }
}
