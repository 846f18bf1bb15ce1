//! Reports the last use of keys at the management API to the usage object, at a limited rate.

use crate::{log, object::send};
use ownchat_domain::{
    locator::Locator,
    time::{SECOND, Timestamp},
    usage::LastUse,
    vault::{Object, usage::RecordLastUse},
};
use std::{cell::RefCell, collections::HashMap};
use worker::Env;

/// A secret is reported at most once per interval, in milliseconds, so a busy client costs few
/// writes.
const REPORT_INTERVAL: i64 = 10 * SECOND;
/// Most secrets in the table. Beyond, the table is cleared and all are reported again.
const ENTRIES_MAX: usize = 1_000;

/// Last uses that this instance has reported.
#[derive(Default)]
pub struct UseReports(RefCell<HashMap<(Locator, u32), Timestamp>>);

impl UseReports {
    /// Returns true if a use is to be reported, and records that it is.
    pub fn is_due(&self, last: LastUse) -> bool {
        let mut reported = self.0.borrow_mut();
        let before = reported.get(&(last.key, last.secret)).copied();
        // A clock that was set back does not suppress reports for long.
        if before.is_some_and(|before| (0..REPORT_INTERVAL).contains(&last.at.since(before))) {
            return false;
        }
        if reported.len() >= ENTRIES_MAX {
            reported.clear();
        }
        reported.insert((last.key, last.secret), last.at);
        true
    }
}

/// Reports a use. A lost report is made up for by the next request.
pub async fn report(env: Env, workspace: u32, last: LastUse) {
    if let Err(failure) = send(&env, Object::Usage(workspace), &RecordLastUse { last }).await {
        log::warning(format_args!("a last use was not reported: {failure}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_a_secret_are_reported_once_per_interval() {
        let uses = UseReports::default();
        let at = |secret, millis: i64| LastUse {
            key: "0000000000000001".parse().unwrap(),
            secret,
            at: Timestamp::from_millis(1_000_000 + millis),
        };
        let uses_at = [at(1, 0), at(1, 9_999), at(2, 1), at(1, 10_000), at(1, 9_000), at(1, 9_001)];
        assert_eq!(uses_at.map(|last| uses.is_due(last)), [true, false, true, true, true, false]);
    }

    #[test]
    fn the_table_is_bounded() {
        let uses = UseReports::default();
        for secret in 0..3_000 {
            let last = LastUse { key: "0000000000000001".parse().unwrap(), secret, at: Timestamp::from_millis(1) };
            assert!(uses.is_due(last));
            assert!(uses.0.borrow().len() <= ENTRIES_MAX);
        }
    }
}
