//! What was called, as the callers know it, and as the vault has counted it.

use super::subjects::Subject;
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

/// Outcomes that are asked for one by one; none for all of them together.
const OUTCOMES: [Option<Code>; 4] = [None, Some(Code::Valid), Some(Code::Inactive), Some(Code::ScopeMissing)];

/// Which calls: of a workspace, with a key or with any, with an outcome or with any, that needed a scope or whatever.
type Cell = (u32, Option<Locator>, Option<u8>, Option<u8>);

/// How many there were.
pub type Calls = BTreeMap<Cell, u64>;

/// What callers have seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub calls: Calls,
    /// When the latest call that passed was sent, and when the latest was answered, by key and secret.
    passed: BTreeMap<(Locator, u32), (Timestamp, Timestamp)>,
}

impl Seen {
    /// Takes in a call, when it was sent and when it was answered.
    pub fn count(&mut self, subject: &Subject, outcome: Code, (sent, answered): (Timestamp, Timestamp)) {
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

    /// Adds what another caller has seen.
    pub fn add(&mut self, other: Self) {
        for (cell, calls) in other.calls {
            *self.calls.entry(cell).or_default() += calls;
        }
        for (secret, times) in other.passed {
            self.pass(secret, times);
        }
    }

    /// How many calls there were in all.
    pub fn all(&self) -> u64 {
        let all = |((_, key, outcome, scope), _): &(&Cell, &u64)| (key, outcome, scope) == (&None, &None, &None);
        self.calls.iter().filter(all).map(|(_, calls)| calls).sum()
    }

    fn pass(&mut self, secret: (Locator, u32), (sent, answered): (Timestamp, Timestamp)) {
        let latest = self.passed.entry(secret).or_insert((sent, answered));
        *latest = (latest.0.max(sent), latest.1.max(answered));
    }

    /// The vault must know of every secret that was used when that was last, to the grain of its clock.
    pub fn expect_last_uses(&self, known: &BTreeMap<(Locator, u32), Timestamp>, grain: i64) {
        assert!(known.keys().eq(self.passed.keys()), "{known:?} {:?}", self.passed);
        for (at, (sent, answered)) in known.values().zip(self.passed.values()) {
            assert!(sent.plus(-grain) <= *at && at <= answered, "last used at {at:?}, not {sent:?} to {answered:?}");
        }
    }
}

/// What is counted of a workspace, but for what was unavailable: of some of that nobody knows whose it is.
pub fn read(admin: &mut Admin, subjects: &[Subject]) -> Calls {
    let mut calls = Calls::new();
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

/// How often a key was called, whatever came of it.
pub fn read_calls(admin: &mut Admin, key: Locator) -> usize {
    let in_all = counted(admin, Some(key), None).into_iter().filter(|(scope, _)| scope.is_none());
    usize::try_from(in_all.map(|(_, count)| count).sum::<u64>()).unwrap()
}

/// How often it was called in all, and for each scope.
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

/// When the secrets of its keys were last used.
pub fn read_last_uses(admin: &mut Admin, subjects: &[Subject]) -> BTreeMap<(Locator, u32), Timestamp> {
    let call = ReadLastUses { keys: keys(admin, subjects) };
    let uses = admin.ask_object(Object::Usage(admin.workspace), &call).unwrap().unwrap();
    uses.into_iter().map(|last| ((last.key, last.secret), last.at)).collect()
}

fn keys(admin: &Admin, subjects: &[Subject]) -> Vec<Locator> {
    let own = subjects.iter().filter(|subject| subject.workspace == admin.workspace);
    let mut keys: Vec<Locator> = own.map(|subject| subject.key).collect();
    keys.sort();
    keys.dedup();
    keys
}
