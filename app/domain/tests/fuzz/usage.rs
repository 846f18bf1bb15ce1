//! Fuzz tests of usage batches.

use crate::{
    bounds::{CLAIMED, within, within_and},
    good::{any_time, config, damaged, locator, one_in, some},
};
use ownchat_domain::{
    time::Timestamp,
    usage::{self, BATCH_MAX, Batch, Cell, LastUse},
};
use proptest::{collection::vec, prelude::*};

/// A batch with arbitrary numbers.
fn any_batch() -> impl Strategy<Value = Vec<u8>> {
    let cell = (any::<i64>(), any::<u8>(), any::<u64>());
    let count = (cell, any::<u64>())
        .prop_map(|((minute, outcome, scopes), count)| (Cell { key: locator(), minute, outcome, scopes }, count));
    let last_use = (any::<u32>(), any_time()).prop_map(|(secret, at)| LastUse { key: locator(), secret, at });
    (any::<u64>(), any::<u64>(), vec(count, 0..6), vec(last_use, 0..4)).prop_map(
        |(isolate, sequence, counts, last_uses)| {
            usage::encode(&Batch { isolate, sequence, counts, last_uses }).unwrap()
        },
    )
}

/// A batch around the maximum length.
fn long_batch() -> impl Strategy<Value = Vec<u8>> {
    (BATCH_MAX - 2..BATCH_MAX + 3, any::<u64>()).prop_map(|(length, count)| {
        let cell = |scopes| Cell { key: locator(), minute: 29_924_206, outcome: 1, scopes };
        let counts = (0..).take(length).map(|scopes| (cell(scopes), count)).collect();
        usage::encode(&Batch { isolate: 1, sequence: 1, counts, last_uses: Vec::new() }).unwrap()
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..400), any_batch(), any_batch().prop_flat_map(damaged),]
}

fn is_answered(bytes: &[u8], now: Timestamp) -> Result<(), TestCaseError> {
    if let Ok(batch) = within_and(CLAIMED, bytes, || usage::decode(bytes)) {
        prop_assert!(batch.counts.len().max(batch.last_uses.len()) <= BATCH_MAX.min(bytes.len()));
        let _ = within(bytes, || (batch.fault(now), batch.made_at()));
        prop_assert_eq!(usage::decode(&usage::encode(&batch).unwrap()), Ok(batch));
    }
    Ok(())
}

#[test]
fn good_ones_and_others_are_tried() {
    let good = some(&any_bytes()).iter().filter(|bytes| usage::decode(bytes).is_ok()).count();
    assert!((100..900).contains(&good), "{good}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn batches_of_counts(bytes in any_bytes(), now in any_time()) {
        is_answered(&bytes, now)?;
    }
}

proptest! {
    #![proptest_config(one_in(200))]

    #[test]
    fn long_batches(bytes in prop_oneof![long_batch(), long_batch().prop_flat_map(damaged)], now in any_time()) {
        is_answered(&bytes, now)?;
    }
}
