//! Calls as the callers made them, and as the vault has counted them.

use super::calls::CountedCall;
use ownchat_domain::{
    locator::Locator,
    time::Timestamp,
    vault::{
        Object,
        usage::{ReadLastUses, ReadUsage, UsageQuery},
    },
    verdict::Code,
};
use ownchat_runtime::Admin;
use std::collections::BTreeMap;

/// Outcomes that are queried one by one; none for all of them.
const OUTCOMES: [Option<Code>; 4] = [None, Some(Code::Valid), Some(Code::Inactive), Some(Code::ScopeMissing)];

/// Dimensions of a count: workspace, key or any, outcome or any, scope or any.
type Dimensions = (u32, Option<Locator>, Option<u8>, Option<u8>);

/// Numbers of calls.
pub type UsageCounts = BTreeMap<Dimensions, u64>;

/// Calls that callers have made.
#[derive(Debug, Default)]
pub struct CallLog {
    pub calls: UsageCounts,
    /// Latest sending and latest response of a call that passed, by key and secret.
    passed: BTreeMap<(Locator, u32), (Timestamp, Timestamp)>,
}

impl CallLog {
    /// Adds a call with the times of its sending and its response.
    pub fn count(&mut self, subject: &CountedCall, outcome: Code, (sent, answered): (Timestamp, Timestamp)) {
        for key in [None, Some(subject.key)] {
            for outcome in [None, Some(outcome.number())] {
                for scope in subject.scopes.iter().map(|scope| Some(scope.info().bit)).chain([None]) {
                    *self.calls.entry((subject.workspace, key, outcome, scope)).or_default() += 1;
                }
            }
        }
        if outcome == Code::Valid {
            self.pass((subject.key, subject.secret), (sent, answered));
        }
    }

    /// Adds the calls of another caller.
    pub fn add(&mut self, other: Self) {
        for (cell, calls) in other.calls {
            *self.calls.entry(cell).or_default() += calls;
        }
        for (secret, times) in other.passed {
            self.pass(secret, times);
        }
    }

    /// Number of all calls.
    pub fn all(&self) -> u64 {
        let all = |((_, key, outcome, scope), _): &(&Dimensions, &u64)| (key, outcome, scope) == (&None, &None, &None);
        self.calls.iter().filter(all).map(|(_, calls)| calls).sum()
    }

    fn pass(&mut self, secret: (Locator, u32), (sent, answered): (Timestamp, Timestamp)) {
        let latest = self.passed.entry(secret).or_insert((sent, answered));
        *latest = (latest.0.max(sent), latest.1.max(answered));
    }

    /// Checks the last use of every used secret in the vault, to the grain of its clock.
    pub fn expect_last_uses(&self, known: &BTreeMap<(Locator, u32), Timestamp>, grain: i64) {
        assert!(known.keys().eq(self.passed.keys()), "{known:?} {:?}", self.passed);
        for (at, (sent, answered)) in known.values().zip(self.passed.values()) {
            assert!(sent.plus(-grain) <= *at && at <= answered, "last used at {at:?}, not {sent:?} to {answered:?}");
        }
    }
}

/// Counts of a workspace without unavailable calls, some of which belong to no known key.
pub fn read(admin: &mut Admin, subjects: &[CountedCall]) -> UsageCounts {
    let mut calls = UsageCounts::new();
    for key in keys(admin, subjects).into_iter().map(Some).chain([None]) {
        for outcome in OUTCOMES {
            for (scope, count) in counted(admin, key, outcome) {
                *calls.entry((admin.workspace, key, outcome.map(Code::number), scope)).or_default() += count;
            }
        }
        for (scope, count) in counted(admin, key, Some(Code::Unavailable)) {
            *calls.entry((admin.workspace, key, None, scope)).or_default() -= count;
        }
    }
    calls.retain(|_, count| *count > 0);
    calls
}

/// Number of calls with a key, with any outcome.
pub fn read_calls(admin: &mut Admin, key: Locator) -> usize {
    let in_all = counted(admin, Some(key), None).into_iter().filter(|(scope, _)| scope.is_none());
    usize::try_from(in_all.map(|(_, count)| count).sum::<u64>()).unwrap()
}

/// Number of calls in total, and for each scope.
fn counted(admin: &mut Admin, key: Option<Locator>, outcome: Option<Code>) -> Vec<(Option<u8>, u64)> {
    let call = ReadUsage { key, query: UsageQuery { outcome, ..UsageQuery::default() } };
    let series = admin.ask_object(Object::Usage(admin.workspace), &call).unwrap().unwrap();
    let in_all = |outcomes: &[(u8, u64)]| outcomes.iter().map(|(_, count)| (None, *count)).collect::<Vec<_>>();
    let parts = series.points.into_iter().map(|point| {
        let of_scopes = point.scopes.into_iter().map(|(scope, count)| (Some(scope), count));
        [in_all(&point.outcomes), of_scopes.collect()].concat()
    });
    parts.flatten().collect()
}

/// Last use of each secret of these keys.
pub fn read_last_uses(admin: &mut Admin, subjects: &[CountedCall]) -> BTreeMap<(Locator, u32), Timestamp> {
    let call = ReadLastUses { keys: keys(admin, subjects) };
    let uses = admin.ask_object(Object::Usage(admin.workspace), &call).unwrap().unwrap();
    uses.into_iter().map(|last| ((last.key, last.secret), last.at)).collect()
}

fn keys(admin: &Admin, subjects: &[CountedCall]) -> Vec<Locator> {
    let own = subjects.iter().filter(|subject| subject.workspace == admin.workspace);
    let mut keys: Vec<Locator> = own.map(|subject| subject.key).collect();
    keys.sort();
    keys.dedup();
    keys
}
