//! One isolate that serves a limited key alone: almost all of the limit is used, and it is never
//! exceeded.

use super::*;
use crate::testing::{NOW, record};
use ownchat_domain::{
    limit::RateLimit,
    meter::{LeaseResponse, MeterState},
};

/// Latency of a request to the meter, and of its response, in milliseconds.
const LATENCY: i64 = 3;

/// Times at which requests passed, of those that came one every `every` milliseconds.
fn passed(rate: RateLimit, every: i64, requests: i64) -> Vec<Timestamp> {
    let key = Record { limits: Limits { rate: Some(rate), quota: None }, ..record() };
    let (mut permits, mut meter, mut now, mut last_name) = (Permits::default(), MeterState::default(), NOW, 0);
    let mut passed = Vec::new();
    for request in 0..requests {
        now = now.max(NOW.plus(request * every));
        loop {
            match permits.spend(&key, 1, now) {
                Some(Ok(_)) => passed.push(now),
                Some(Err(_)) => {}
                None => {
                    last_name += 1;
                    let requested_at = now;
                    let taken = meter.take(&permits.lease_request(&key, 1, last_name, now), now.plus(LATENCY));
                    now = now.plus(2 * LATENCY);
                    match taken {
                        LeaseResponse::Lease(lease) => permits.add_lease(&key, lease, requested_at, now),
                        LeaseResponse::Refused(refusal)
                            if permits.apply_refusal(&key, 1, refusal, requested_at, now) =>
                        {
                            break;
                        }
                        LeaseResponse::Refused(_) => {}
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
fn below_the_limit_at_most_5_of_1000_are_refused() {
    for (limit, window_seconds, every) in [(10, 1, 111), (100, 60, 612), (50, 10, 205)] {
        let rate = RateLimit { limit, window_seconds };
        let passed = passed(rate, every, 1_000).len();
        assert!(passed >= 995, "{passed}, {rate:?}, every {every} ms");
    }
}

#[test]
fn at_the_limit_at_least_98_percent_pass_and_never_more() {
    for (limit, window_seconds, every) in [(10, 1, 40), (100, 1, 7), (100, 60, 300), (1_000, 60, 25)] {
        let rate = RateLimit { limit, window_seconds };
        let requests = 20 * rate.window() / every;
        let passed = passed(rate, every, requests);
        let mut later = passed.iter().zip(passed.iter().skip(limit as usize));
        assert!(later.all(|(begin, next)| next.since(*begin) >= rate.window()), "{rate:?}");
        let most = 20 * limit as usize;
        assert!(passed.len() * 50 >= most * 49, "{} of {most}, {rate:?}", passed.len());
    }
}
