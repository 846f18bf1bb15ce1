//! One isolate that serves a limited key alone: almost all of the limit is used, and it is never
//! exceeded.

use super::*;
use crate::testing::{NOW, record};
use ownchat_domain::{
    limit::RateLimit,
    meter::{Meter, Taken},
};

/// Latency of a request to the meter, and of its response, in milliseconds.
const WAY: i64 = 3;

/// Times at which requests passed, of those that came one every `every` milliseconds.
fn passed(rate: RateLimit, every: i64, calls: i64) -> Vec<Timestamp> {
    let key = Record { limits: Limits { rate: Some(rate), quota: None }, ..record() };
    let (mut permits, mut meter, mut now, mut names) = (Permits::default(), Meter::default(), NOW, 0);
    let mut passed = Vec::new();
    for call in 0..calls {
        now = now.max(NOW.plus(call * every));
        loop {
            match permits.spend(&key, 1, now) {
                Some(Ok(_)) => passed.push(now),
                Some(Err(_)) => {}
                None => {
                    names += 1;
                    let requested_at = now;
                    let taken = meter.take(&permits.lease_request(&key, 1, names, now), now.plus(WAY));
                    now = now.plus(2 * WAY);
                    match taken {
                        Taken::Lease(lease) => permits.add_lease(&key, lease, requested_at, now),
                        Taken::Refused(refusal) if permits.apply_refusal(&key, 1, refusal, requested_at, now) => break,
                        Taken::Refused(_) => {}
                    }
                    continue;
                }
            }
            break;
        }
    }
    passed
}

#[test]
fn of_a_thousand_calls_below_the_limit_five_are_refused_at_most() {
    for (limit, window_seconds, every) in [(10, 1, 111), (100, 60, 612), (50, 10, 205)] {
        let rate = RateLimit { limit, window_seconds };
        let passed = passed(rate, every, 1_000).len();
        assert!(passed >= 995, "{passed}, {rate:?}, every {every} ms");
    }
}

#[test]
fn a_key_at_its_limit_gets_all_but_a_fiftieth_of_it_and_never_more() {
    for (limit, window_seconds, every) in [(10, 1, 40), (100, 1, 7), (100, 60, 300), (1_000, 60, 25)] {
        let rate = RateLimit { limit, window_seconds };
        let calls = 20 * rate.window() / every;
        let passed = passed(rate, every, calls);
        let mut later = passed.iter().zip(passed.iter().skip(limit as usize));
        assert!(later.all(|(begin, next)| next.since(*begin) >= rate.window()), "{rate:?}");
        let most = 20 * limit as usize;
        assert!(passed.len() * 50 >= most * 49, "{} of {most}, {rate:?}", passed.len());
    }
}
