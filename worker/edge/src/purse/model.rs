//! Isolates and a meter with a bad wire between them: questions and answers come late, out of order, or never. Nothing above
//! a limit is ever spent, and what was not spent of a quota can be spent in the end.

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

/// How long a question and its answer are on their ways, in milliseconds; none for one that gets lost.
type Way = (Option<i64>, Option<i64>);

/// A call, or only time that passes.
#[derive(Clone, Debug)]
struct Step {
    pause: i64,
    isolate: usize,
    cost: u32,
    way: Way,
    way_back: Way,
}

/// What happens at its time.
#[derive(Clone, Debug)]
enum Event {
    /// A question arrives; its answer takes so long.
    Asked(usize, Take, Option<i64>, Asked),
    /// An answer arrives.
    Answered(usize, Take, Taken, Asked),
    /// It is time to give back what is over.
    GiveBack(usize, Way),
}

/// When a question was asked, and how what it brings is given back.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Timestamp,
    way_back: Way,
}

struct World {
    key: Record,
    meter: Meter,
    isolates: Vec<Purse>,
    /// Questions that were neither answered nor given up.
    open: Vec<(usize, Take, Asked)>,
    events: Vec<(Timestamp, Event)>,
    spent: Vec<Timestamp>,
    names: u64,
}

impl World {
    fn new(limits: Limits) -> Self {
        let isolates = (0..3).map(|_| Purse::default()).collect();
        let (key, meter) = (Record { limits, ..record() }, Meter::default());
        Self { key, meter, isolates, open: Vec::new(), events: Vec::new(), spent: Vec::new(), names: 0 }
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
        self.isolates[isolate].lost(self.key.locator, take);
        if is_call {
            self.watch(isolate, asked.way_back, now);
        } else {
            self.at(now.plus(AGAIN), Event::GiveBack(isolate, (Some(1), Some(1))));
        }
    }

    fn happens(&mut self, event: Event, now: Timestamp) {
        match event {
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
                let purse = &mut self.isolates[isolate];
                match taken {
                    Taken::Lease(lease) if take.need > 0 => {
                        purse.put(&self.key, lease, asked.at, now);
                        self.spend(isolate, take.need, now);
                        self.watch(isolate, asked.way_back, now);
                    }
                    Taken::Refused(refusal) => purse.refuse(&self.key, take.need, refusal, asked.at),
                    Taken::Lease(_) => {}
                }
            }
            Event::GiveBack(isolate, way) => {
                let (limits, version) = (self.key.limits, self.key.version);
                if let Some(take) = self.isolates[isolate].leftovers(self.key.locator, limits, version, now) {
                    self.ask(isolate, take, way, Asked { at: now, way_back: way }, now);
                }
            }
        }
    }

    fn watch(&mut self, isolate: usize, way: Way, now: Timestamp) {
        if let Some(due) = self.isolates[isolate].watch(self.key.locator, now) {
            self.at(due, Event::GiveBack(isolate, way));
        }
    }

    fn ask(&mut self, isolate: usize, take: Take, (there, back): Way, asked: Asked, now: Timestamp) {
        self.open.push((isolate, take.clone(), asked));
        if let Some(there) = there {
            self.at(now.plus(there), Event::Asked(isolate, take, back, asked));
        }
    }

    /// Whether it is decided.
    fn spend(&mut self, isolate: usize, cost: u32, now: Timestamp) -> bool {
        let decided = self.isolates[isolate].spend(self.key.locator, cost, now);
        if let Some(Ok(_)) = decided {
            self.spent.extend((0..cost).map(|_| now));
        }
        decided.is_some()
    }

    fn call(&mut self, step: &Step, now: Timestamp) {
        if step.cost > 0 && !self.spend(step.isolate, step.cost, now) {
            self.names += 1;
            let take = self.isolates[step.isolate].question(&self.key, step.cost, self.names, now);
            self.ask(step.isolate, take, step.way, Asked { at: now, way_back: step.way_back }, now);
        }
    }

    /// Most permits that were spent within one window.
    fn busiest(&self, window: i64) -> usize {
        let within = |begin: &Timestamp| self.spent.iter().filter(|at| (0..window).contains(&at.since(*begin))).count();
        self.spent.iter().map(within).max().unwrap_or(0)
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let delay = || prop_oneof![2 => (0i64..50).prop_map(Some), 2 => (0i64..5_000).prop_map(Some), 1 => Just(None)];
    let step = (0i64..600, 0usize..3, 0u32..5, (delay(), delay()), (delay(), delay()))
        .prop_map(|(pause, isolate, cost, way, way_back)| Step { pause, isolate, cost, way, way_back });
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
            world.call(step, now);
        }
        // Everything is answered, given up, or over, and the wire is good again.
        now = now.plus(20_000);
        world.until(now);
        for isolate in 0..world.isolates.len() {
            world.happens(Event::GiveBack(isolate, (Some(0), Some(0))), now);
        }
        world.until(now);
        let spent = u32::try_from(world.spent.len()).unwrap();
        prop_assert!(spent <= quota, "{} of {}", spent, quota);
        if let Some(rate) = rate {
            let most = world.busiest(rate.window());
            prop_assert!(most <= rate.limit as usize, "{} of {}", most, rate.limit);
        }
        let ask = |need| Take { limits, version: record().version, need, spare: 0, unused: Vec::new(), name: 0 };
        // All of the rest can be spent, and no more.
        let once = rate.map_or(quota, |rate| rate.limit);
        let mut rest = quota - spent;
        while rest > 0 {
            let need = rest.min(once);
            prop_assert!(matches!(world.meter.take(&ask(need), now), Taken::Lease(_)), "{} of {}", need, rest);
            rest -= need;
            now = now.plus(6_000);
        }
        prop_assert!(matches!(world.meter.take(&ask(1), now), Taken::Refused(refusal) if refusal.by_quota));
    }
}
