//! Fuzz tests of requests to a meter, its responses and its stored state.

use crate::{
    bounds::{CLAIMED, within, within_and},
    good::{NOW, config, damaged, near},
};
use ownchat_domain::{
    limit::{Limits, Period, Quota, RateLimit},
    meter::{self, LeaseRequest, LeaseResponse, MeterState, ReturnedPermits},
};
use proptest::{collection::vec, prelude::*};

/// A request with arbitrary numbers.
fn any_take() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![any::<u32>(), 0..100u32];
    let rate = proptest::option::of(
        (number(), number()).prop_map(|(limit, window_seconds)| RateLimit { limit, window_seconds }),
    );
    let quota = proptest::option::of(
        (number(), any::<bool>())
            .prop_map(|(limit, is_day)| Quota { limit, period: if is_day { Period::Day } else { Period::Month } }),
    );
    let named = || prop_oneof![any::<u64>(), 0..5u64, meter::NAMED..meter::NAMED + 3];
    let returned = prop_oneof![number(), Just(meter::ALL)];
    let unused = (named(), returned).prop_map(|(lease, permits)| ReturnedPermits { lease, permits });
    (rate, quota, any::<u64>(), number(), number(), vec(unused, 0..4), named(), vec(number(), 0..5)).prop_map(
        |(rate, quota, version, need, spare, unused, name, idle)| {
            meter::encode(&LeaseRequest { limits: Limits { rate, quota }, version, need, spare, unused, name, idle })
                .unwrap()
        },
    )
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => near(take()),
        6 => any_take(),
        6 => any_take().prop_flat_map(damaged),
        1 => (vec(any::<u8>(), 1..40), 1..1_700usize).prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

fn take() -> Vec<u8> {
    meter::encode(&LeaseRequest { limits: Limits::default(), version: 1, need: 1, spare: 2, ..LeaseRequest::default() })
        .unwrap()
}

#[test]
fn a_good_one_is_read() {
    assert!(meter::decode::<LeaseRequest>(&take()).is_ok());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn questions_to_a_meter_and_its_answers(questions in vec(any_bytes(), 1..4), later in 0..100_000i64) {
        let mut meter = MeterState::default();
        for (bytes, step) in questions.iter().zip(0..) {
            let _ = within_and(CLAIMED, bytes, || meter::decode::<LeaseResponse>(bytes));
            let _ = within_and(CLAIMED, bytes, || MeterState::decode(bytes).map(|read| read.standing(NOW)));
            if let Ok(ask) = within_and(CLAIMED, bytes, || meter::decode::<LeaseRequest>(bytes)) {
                prop_assert!(ask.unused.len() <= bytes.len());
                if let LeaseResponse::Lease(lease) = within(bytes, || meter.take(&ask, NOW.plus(step * later))) {
                    prop_assert!(lease.permits >= ask.need);
                }
            }
        }
        let bytes = meter.encode().unwrap();
        prop_assert!(bytes.len() < 1_000);
        let read = MeterState::decode(&bytes).unwrap();
        prop_assert_eq!(read.encode().unwrap(), bytes);
    }
}
