//! Isolates and a meter with a bad wire between them: questions and answers come late, out of order, or never. Meanwhile the
//! limits change, and each isolate hears of it in its time. Nothing above a limit is ever spent, nor above a new one by those
//! who have heard of it, and what was not spent of a quota can be spent in the end.

use super::*;
use crate::testing::{NOW, record};
use ownchat_domain::{
    limit::{Period, Quota, RateLimit},
    meter::{Meter, Taken},
};
use proptest::prelude::*;

/// How long an isolate waits for a meter, in milliseconds.
const PATIENCE: i64 = 2_000;
/// How long after a failure it tries to give back again, in milliseconds.
const AGAIN: i64 = 1_000;

/// How many isolates there are.
const ISOLATES: usize = 3;

/// How long a question and its answer are on their ways, in milliseconds; none for one that gets lost.
type Way = (Option<i64>, Option<i64>);

/// How many a quota and a rate let pass.
type Most = (u32, u32);

/// A call, or only time that passes; and before it the limits may change, of which each isolate hears after so long.
#[derive(Clone, Debug)]
struct Step {
    pause: i64,
    change: Option<(Most, [i64; ISOLATES])>,
    isolate: usize,
    cost: u32,
    /// After how long it is known that the request reached nobody, if it did not.
    returns: Option<i64>,
    way: Way,
    way_back: Way,
}

/// What happens at its time.
#[derive(Clone, Debug)]
enum Event {
    /// An isolate hears of a record.
    Heard(usize, usize),
    /// A question arrives; its answer takes so long.
    Asked(usize, Take, Option<i64>, Asked),
    /// An answer arrives.
    Answered(usize, Take, Taken, Asked),
    /// It is time to give back what is over.
    GiveBack(usize, Way),
    /// It is known that a request which cost a permit of this lease, at that time and under that
    /// record, reached nobody.
    Returned(usize, u64, Timestamp, usize),
}

/// When a question was asked, under which record, and how what it brings is given back.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Timestamp,
    record: usize,
    /// After how long the request that the permits are for is known to have reached nobody.
    returns: Option<i64>,
    way_back: Way,
}

struct World {
    /// The records that there were, and which one each isolate knows.
    records: Vec<Record>,
    known: [usize; ISOLATES],
    /// The eldest that an isolate knows, and how much had been spent when that became so.
    eldest: (usize, usize),
    meter: Meter,
    isolates: [Purse; ISOLATES],
    /// Questions that were neither answered nor given up.
    open: Vec<(usize, Take, Asked)>,
    events: Vec<(Timestamp, Event)>,
    /// What each isolate was granted under each record and has not spent.
    granted: HashMap<(usize, usize), u32>,
    /// When a permit was spent, and the eldest record that an isolate knew then.
    spent: Vec<(Timestamp, usize)>,
    names: u64,
}

impl World {
    fn new(limits: Limits) -> Self {
        Self {
            records: vec![Record { limits, ..record() }],
            known: [0; ISOLATES],
            eldest: (0, 0),
            meter: Meter::default(),
            isolates: Default::default(),
            open: Vec::new(),
            events: Vec::new(),
            granted: HashMap::new(),
            spent: Vec::new(),
            names: 0,
        }
    }

    fn latest(&self) -> &Record {
        self.records.last().unwrap()
    }

    fn change(&mut self, (quota, rate): Most, delays: [i64; ISOLATES], now: Timestamp) {
        let Record { version, limits, .. } = *self.latest();
        let quota = limits.quota.map(|old| Quota { limit: quota, ..old });
        let rate = limits.rate.map(|old| RateLimit { limit: rate, ..old });
        self.records.push(Record { version: version + 1, limits: Limits { rate, quota }, ..record() });
        for (isolate, delay) in delays.into_iter().enumerate() {
            self.at(now.plus(delay), Event::Heard(isolate, self.records.len() - 1));
        }
    }

    /// The greatest limit that there was from this record on.
    fn most(&self, from: usize, limit: impl Fn(Limits) -> u32) -> usize {
        self.records[from..].iter().map(|record| limit(record.limits) as usize).max().unwrap()
    }

    /// Nothing is spent beyond what was spent when the last isolate heard of a record and what that one and those after it allow.
    fn is_within_quota(&self) -> bool {
        let (eldest, before) = self.eldest;
        self.spent.len() <= before.max(self.most(eldest, |limits| limits.quota.unwrap().limit))
    }

    fn at(&mut self, when: Timestamp, event: Event) {
        let place = self.events.partition_point(|(other, _)| *other <= when);
        self.events.insert(place, (when, event));
    }

    /// What happens until this moment, in its order.
    fn until(&mut self, end: Timestamp) {
        loop {
            let given_up = self.open.iter().map(|(_, _, asked)| asked.at.plus(PATIENCE)).min();
            let next = self.events.first().map(|(when, _)| *when);
            let Some(now) = given_up.into_iter().chain(next).min().filter(|now| *now <= end) else { return };
            if given_up == Some(now) {
                self.give_up(now);
            } else {
                let (_, event) = self.events.remove(0);
                self.happens(event, now);
            }
        }
    }

    fn give_up(&mut self, now: Timestamp) {
        let place = self.open.iter().position(|(_, _, asked)| asked.at.plus(PATIENCE) <= now).unwrap();
        let (isolate, take, asked) = self.open.remove(place);
        let is_call = take.need > 0;
        self.isolates[isolate].lost(record().locator, take);
        if is_call {
            self.watch(isolate, asked.way_back, now);
        } else {
            self.at(now.plus(AGAIN), Event::GiveBack(isolate, (Some(1), Some(1))));
        }
    }

    fn happens(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Heard(isolate, number) => {
                self.known[isolate] = self.known[isolate].max(number);
                let eldest = *self.known.iter().min().unwrap();
                if eldest > self.eldest.0 {
                    self.eldest = (eldest, self.spent.len());
                }
            }
            Event::Asked(isolate, take, back, asked) => {
                let taken = self.meter.take(&take, now);
                self.meter = Meter::decode(&self.meter.encode()).unwrap();
                if let Some(back) = back {
                    self.at(now.plus(back), Event::Answered(isolate, take, taken, asked));
                }
            }
            Event::Answered(isolate, take, taken, asked) => {
                let Some(place) = self.open.iter().position(|(_, open, _)| *open == take) else { return };
                self.open.remove(place);
                let (purse, key) = (&mut self.isolates[isolate], &self.records[asked.record]);
                match taken {
                    Taken::Lease(lease) if take.need > 0 => {
                        purse.put(key, lease, asked.at, now);
                        *self.granted.entry((isolate, asked.record)).or_default() += lease.permits;
                        self.spend(isolate, take.need, asked.returns, now);
                        self.watch(isolate, asked.way_back, now);
                    }
                    Taken::Refused(refusal) => {
                        purse.refuse(key, take.need, refusal, asked.at, now);
                    }
                    Taken::Lease(_) => {}
                }
            }
            Event::Returned(isolate, lease, at, known) => {
                *self.granted.entry((isolate, known)).or_default() += 1;
                self.isolates[isolate].settle(record().locator, lease, false);
                let place = self.spent.iter().position(|(spent, _)| *spent == at).unwrap();
                self.spent.remove(place);
                self.watch(isolate, (Some(1), Some(1)), now);
            }
            Event::GiveBack(isolate, way) => {
                let Record { locator, limits, version, .. } = self.records[self.known[isolate]];
                if let Some(take) = self.isolates[isolate].leftovers(locator, limits, version, now) {
                    self.ask(isolate, take, None, way, way, now);
                }
            }
        }
    }

    fn watch(&mut self, isolate: usize, way: Way, now: Timestamp) {
        if let Some(due) = self.isolates[isolate].watch(record().locator, now) {
            self.at(due, Event::GiveBack(isolate, way));
        }
    }

    fn ask(
        &mut self,
        isolate: usize,
        take: Take,
        returns: Option<i64>,
        (there, back): Way,
        way_back: Way,
        now: Timestamp,
    ) {
        let asked = Asked { at: now, record: self.known[isolate], returns, way_back };
        self.open.push((isolate, take.clone(), asked));
        if let Some(there) = there {
            self.at(now.plus(there), Event::Asked(isolate, take, back, asked));
        }
    }

    /// Whether it is decided.
    fn spend(&mut self, isolate: usize, cost: u32, returns: Option<i64>, now: Timestamp) -> bool {
        let known = self.known[isolate];
        let decided = self.isolates[isolate].spend(&self.records[known], cost, now);
        if let Some(Ok(Spent { lease, .. })) = decided {
            if let Some(returns) = returns {
                self.isolates[isolate].depart(record().locator, lease);
                self.at(now.plus(returns), Event::Returned(isolate, lease, now, known));
            }
            let left = self.granted.get(&(isolate, known)).and_then(|granted| granted.checked_sub(cost));
            self.granted.insert((isolate, known), left.expect("it was granted under another record"));
            self.spent.extend((0..cost).map(|_| (now, self.eldest.0)));
            assert!(self.is_within_quota(), "{} in all, {:?} then", self.spent.len(), self.eldest);
        }
        decided.is_some()
    }

    fn call(&mut self, step: &Step, now: Timestamp) {
        if step.cost > 0 && !self.spend(step.isolate, step.cost, step.returns, now) {
            self.names += 1;
            let key = &self.records[self.known[step.isolate]];
            let take = self.isolates[step.isolate].question(key, step.cost, self.names, now);
            self.ask(step.isolate, take, step.returns, step.way, step.way_back, now);
        }
    }

    /// Whether no window has seen more than what was allowed since the eldest record that an isolate knew when it began.
    fn is_within_rate(&self, window: i64) -> bool {
        self.spent.iter().enumerate().all(|(place, (begin, eldest))| {
            let within = self.spent[place..].iter().take_while(|(at, _)| at.since(*begin) < window).count();
            within <= self.most(*eldest, |limits| limits.rate.unwrap().limit)
        })
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let delay = || prop_oneof![2 => (0i64..50).prop_map(Some), 2 => (0i64..5_000).prop_map(Some), 1 => Just(None)];
    let most = (1u32..120, 1u32..40);
    let change = prop_oneof![9 => Just(None), 1 => (most, prop::array::uniform3(0i64..5_000)).prop_map(Some)];
    let returns = prop_oneof![2 => Just(None), 1 => (0i64..8_000).prop_map(Some)];
    let step = (0i64..600, change, 0usize..ISOLATES, 0u32..5, returns, (delay(), delay()), (delay(), delay()));
    let step = step.prop_map(|(pause, change, isolate, cost, returns, way, way_back)| Step {
        pause,
        change,
        isolate,
        cost,
        // A request costs one permit.
        returns: returns.filter(|_| cost == 1),
        way,
        way_back,
    });
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn nothing_is_exceeded_and_nothing_is_lost(
        steps in steps(), quota in 1u32..120, rate in proptest::option::of((1u32..40, 1u32..4)),
    ) {
        let rate = rate.map(|(limit, window_seconds)| RateLimit { limit, window_seconds });
        let limits = Limits { rate, quota: Some(Quota { limit: quota, period: Period::Day }) };
        let (mut world, mut now) = (World::new(limits), NOW);
        for step in &steps {
            now = now.plus(step.pause);
            world.until(now);
            if let Some((most, delays)) = step.change {
                world.change(most, delays, now);
            }
            world.call(step, now);
        }
        // Everything is answered, given up, or over, and the wire is good again.
        now = now.plus(20_000);
        world.until(now);
        for isolate in 0..ISOLATES {
            world.happens(Event::GiveBack(isolate, (Some(0), Some(0))), now);
        }
        world.until(now);
        if let Some(rate) = rate {
            prop_assert!(world.is_within_rate(rate.window()), "{:?}", world.spent);
        }
        let Record { limits, version, .. } = *world.latest();
        let ask = |need| Take { limits, version, need, ..Take::default() };
        // All of the rest can be spent, and no more.
        let once = limits.rate.map_or(u32::MAX, |rate| rate.limit);
        let mut rest = limits.quota.unwrap().limit.saturating_sub(u32::try_from(world.spent.len()).unwrap());
        while rest > 0 {
            let need = rest.min(once);
            prop_assert!(matches!(world.meter.take(&ask(need), now), Taken::Lease(_)), "{} of {}", need, rest);
            rest -= need;
            now = now.plus(6_000);
        }
        prop_assert!(matches!(world.meter.take(&ask(1), now), Taken::Refused(refusal) if refusal.by_quota));
    }
}
