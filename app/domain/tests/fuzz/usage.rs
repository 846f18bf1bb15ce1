//! Batches of counts.

use crate::good::{any_time, config, damaged, locator};
use ownchat_domain::usage::{self, BATCH_MAX, Batch, Cell, LastUse};
use proptest::{collection::vec, prelude::*};

/// Counts with any numbers.
fn any_batch() -> impl Strategy<Value = Vec<u8>> {
    let cell = (any::<i64>(), any::<u8>(), any::<u64>());
    let count = (cell, any::<u64>())
        .prop_map(|((minute, outcome, scopes), count)| (Cell { key: locator(), minute, outcome, scopes }, count));
    let last_use = (any::<u32>(), any_time()).prop_map(|(secret, at)| LastUse { key: locator(), secret, at });
    (any::<u64>(), any::<u64>(), vec(count, 0..6), vec(last_use, 0..4)).prop_map(
        |(isolate, sequence, counts, last_uses)| usage::encode(&Batch { isolate, sequence, counts, last_uses }),
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn batches_of_counts(bytes in prop_oneof![vec(any::<u8>(), 0..400), any_batch(), any_batch().prop_flat_map(damaged)]) {
        if let Some(batch) = usage::decode(&bytes) {
            prop_assert!(batch.counts.len().max(batch.last_uses.len()) <= BATCH_MAX.min(bytes.len()));
            prop_assert_eq!(usage::decode(&usage::encode(&batch)), Some(batch));
        }
    }
}
