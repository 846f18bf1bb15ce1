//! Isolates and a meter with an unreliable network between them: requests and responses come late,
//! out of order, or never. Meanwhile the limits change, and each isolate learns of it after its own
//! delay.
//!
//! No limit is ever exceeded, nor a new one by the isolates that know it. The unspent permits of a
//! quota can all be spent in the end.

use super::*;
use crate::testing::{NOW, record};
use ownchat_domain::{
    limit::{Period, Quota, RateLimit},
    meter::{LeaseResponse, MeterState},
};
use proptest::prelude::*;

/// Timeout of a request to the meter, in milliseconds.
const TIMEOUT: i64 = 2_000;
/// Milliseconds from a failure to the next attempt to return permits.
const RETRY_AFTER: i64 = 1_000;

/// Number of isolates.
const ISOLATES: usize = 3;

/// Latency of a request and of its response, in milliseconds; none if it is lost.
type Delays = (Option<i64>, Option<i64>);

/// New quota and rate limit.
type NewLimits = (u32, u32);

/// A request, or only time that passes. Before it the limits may change, and each isolate learns of
/// it after a delay.
#[derive(Clone, Debug)]
struct SimulationStep {
    pause: i64,
    change: Option<(NewLimits, [i64; ISOLATES])>,
    isolate: usize,
    cost: u32,
    /// Milliseconds until it is known that the request reached no service; none if it did.
    returns: Option<i64>,
    delays: Delays,
    return_delays: Delays,
}

/// An event of the simulation.
#[derive(Clone, Debug)]
enum SimulationEvent {
    /// An isolate learns of a record.
    RecordArrives(usize, usize),
    /// A request arrives at the meter; its response takes so long.
    RequestArrives(usize, LeaseRequest, Option<i64>, Context),
    /// A response arrives.
    ResponseArrives(usize, LeaseRequest, LeaseResponse, Context),
    /// Expired leases must be returned.
    ReturnPermits(usize, Delays),
    /// A forwarded request reached no service. It had cost a permit of this lease, at that time and
    /// under that record.
    PermitReturns(usize, u64, Timestamp, usize),
}

/// The context of a lease request: its time, its record, and the latency of the later return.
#[derive(Clone, Copy, Debug)]
struct Context {
    at: Timestamp,
    record: usize,
    /// Milliseconds until it is known that the request for the permits reached no service.
    returns: Option<i64>,
    return_delays: Delays,
}

struct Simulation {
    /// All records so far, and the one that each isolate knows.
    records: Vec<Record>,
    known: [usize; ISOLATES],
    /// The oldest record that an isolate knows, and the permits spent when that became so.
    oldest: (usize, usize),
    meter: MeterState,
    isolates: [Permits; ISOLATES],
    /// Requests in flight.
    open: Vec<(usize, LeaseRequest, Context)>,
    events: Vec<(Timestamp, SimulationEvent)>,
    /// Permits that each isolate holds under each record.
    granted: HashMap<(usize, usize), u32>,
    /// Times of spent permits, and the oldest record that an isolate knew then.
    spent: Vec<(Timestamp, usize)>,
    names: u64,
}

impl Simulation {
    fn new(limits: Limits) -> Self {
        Self {
            records: vec![Record { limits, ..record() }],
            known: [0; ISOLATES],
            oldest: (0, 0),
            meter: MeterState::default(),
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

    fn change_limits(&mut self, (quota, rate): NewLimits, delays: [i64; ISOLATES], now: Timestamp) {
        let Record { version, limits, .. } = *self.latest();
        let quota = limits.quota.map(|old| Quota { limit: quota, ..old });
        let rate = limits.rate.map(|old| RateLimit { limit: rate, ..old });
        self.records.push(Record { version: version + 1, limits: Limits { rate, quota }, ..record() });
        for (isolate, delay) in delays.into_iter().enumerate() {
            self.schedule(now.plus(delay), SimulationEvent::RecordArrives(isolate, self.records.len() - 1));
        }
    }

    /// Returns the maximum of a limit from this record on.
    fn most(&self, from: usize, limit: impl Fn(Limits) -> u32) -> usize {
        self.records[from..].iter().map(|record| limit(record.limits) as usize).max().unwrap()
    }

    /// Returns true if no more was spent than the largest quota from the oldest known record on.
    /// Permits spent before that record became the oldest are tolerated.
    fn is_within_quota(&self) -> bool {
        let (oldest, before) = self.oldest;
        self.spent.len() <= before.max(self.most(oldest, |limits| limits.quota.unwrap().limit))
    }

    fn schedule(&mut self, when: Timestamp, event: SimulationEvent) {
        let place = self.events.partition_point(|(other, _)| *other <= when);
        self.events.insert(place, (when, event));
    }

    /// Handles all events until this time, in order.
    fn run_until(&mut self, end: Timestamp) {
        loop {
            let timeout = self.open.iter().map(|(_, _, context)| context.at.plus(TIMEOUT)).min();
            let next = self.events.first().map(|(when, _)| *when);
            let Some(now) = timeout.into_iter().chain(next).min().filter(|now| *now <= end) else { return };
            if timeout == Some(now) {
                self.time_out(now);
            } else {
                let (_, event) = self.events.remove(0);
                self.handle(event, now);
            }
        }
    }

    fn time_out(&mut self, now: Timestamp) {
        let place = self.open.iter().position(|(_, _, context)| context.at.plus(TIMEOUT) <= now).unwrap();
        let (isolate, take, context) = self.open.remove(place);
        let is_lease = take.need > 0;
        self.isolates[isolate].request_failed(record().locator, take);
        if is_lease {
            self.schedule_return(isolate, context.return_delays, now);
        } else {
            self.schedule(now.plus(RETRY_AFTER), SimulationEvent::ReturnPermits(isolate, (Some(1), Some(1))));
        }
    }

    fn handle(&mut self, event: SimulationEvent, now: Timestamp) {
        match event {
            SimulationEvent::RecordArrives(isolate, number) => {
                self.known[isolate] = self.known[isolate].max(number);
                let oldest = *self.known.iter().min().unwrap();
                if oldest > self.oldest.0 {
                    self.oldest = (oldest, self.spent.len());
                }
            }
            SimulationEvent::RequestArrives(isolate, take, back, context) => {
                let taken = self.meter.take(&take, now);
                self.meter = MeterState::decode(&self.meter.encode().unwrap()).unwrap();
                if let Some(back) = back {
                    self.schedule(now.plus(back), SimulationEvent::ResponseArrives(isolate, take, taken, context));
                }
            }
            SimulationEvent::ResponseArrives(isolate, take, taken, context) => {
                let Some(place) = self.open.iter().position(|(_, open, _)| *open == take) else { return };
                self.open.remove(place);
                let (permits, key) = (&mut self.isolates[isolate], &self.records[context.record]);
                match taken {
                    LeaseResponse::Lease(lease) if take.need > 0 => {
                        permits.add_lease(key, lease, context.at, now);
                        *self.granted.entry((isolate, context.record)).or_default() += lease.permits;
                        self.spend(isolate, take.need, context.returns, now);
                        self.schedule_return(isolate, context.return_delays, now);
                    }
                    LeaseResponse::Refused(refusal) => {
                        permits.apply_refusal(key, take.need, refusal, context.at, now);
                    }
                    LeaseResponse::Lease(_) => {}
                }
            }
            SimulationEvent::PermitReturns(isolate, lease, at, known) => {
                *self.granted.entry((isolate, known)).or_default() += 1;
                self.isolates[isolate].settle(record().locator, lease, false);
                let place = self.spent.iter().position(|(spent, _)| *spent == at).unwrap();
                self.spent.remove(place);
                self.schedule_return(isolate, (Some(1), Some(1)), now);
            }
            SimulationEvent::ReturnPermits(isolate, delays) => {
                let Record { locator, limits, version, .. } = self.records[self.known[isolate]];
                if let Some(take) = self.isolates[isolate].take_unspent(locator, limits, version, now) {
                    self.send(isolate, take, None, delays, delays, now);
                }
            }
        }
    }

    fn schedule_return(&mut self, isolate: usize, delays: Delays, now: Timestamp) {
        if let Some(due) = self.isolates[isolate].schedule_return(record().locator, now) {
            self.schedule(due, SimulationEvent::ReturnPermits(isolate, delays));
        }
    }

    fn send(
        &mut self,
        isolate: usize,
        take: LeaseRequest,
        returns: Option<i64>,
        (there, back): Delays,
        return_delays: Delays,
        now: Timestamp,
    ) {
        let context = Context { at: now, record: self.known[isolate], returns, return_delays };
        self.open.push((isolate, take.clone(), context));
        if let Some(there) = there {
            self.schedule(now.plus(there), SimulationEvent::RequestArrives(isolate, take, back, context));
        }
    }

    /// Returns true if the request is decided.
    fn spend(&mut self, isolate: usize, cost: u32, returns: Option<i64>, now: Timestamp) -> bool {
        let known = self.known[isolate];
        let outcome = self.isolates[isolate].spend(&self.records[known], cost, now);
        if let Some(Ok(Spent { lease, .. })) = outcome {
            if let Some(returns) = returns {
                self.isolates[isolate].mark_in_flight(record().locator, lease);
                self.schedule(now.plus(returns), SimulationEvent::PermitReturns(isolate, lease, now, known));
            }
            let left = self.granted.get(&(isolate, known)).and_then(|granted| granted.checked_sub(cost));
            self.granted.insert((isolate, known), left.expect("granted under another version"));
            self.spent.extend((0..cost).map(|_| (now, self.oldest.0)));
            assert!(self.is_within_quota(), "{} spent, {:?} before", self.spent.len(), self.oldest);
        }
        outcome.is_some()
    }

    fn apply(&mut self, step: &SimulationStep, now: Timestamp) {
        if step.cost > 0 && !self.spend(step.isolate, step.cost, step.returns, now) {
            self.names += 1;
            let key = &self.records[self.known[step.isolate]];
            let take = self.isolates[step.isolate].lease_request(key, step.cost, self.names, now);
            self.send(step.isolate, take, step.returns, step.delays, step.return_delays, now);
        }
    }

    /// Returns true if no window exceeds its rate limit: the largest one since the oldest record
    /// known when it began.
    fn is_within_rate(&self, window: i64) -> bool {
        self.spent.iter().enumerate().all(|(place, (begin, oldest))| {
            let within = self.spent[place..].iter().take_while(|(at, _)| at.since(*begin) < window).count();
            within <= self.most(*oldest, |limits| limits.rate.unwrap().limit)
        })
    }
}

fn steps() -> impl Strategy<Value = Vec<SimulationStep>> {
    let delay = || prop_oneof![2 => (0i64..50).prop_map(Some), 2 => (0i64..5_000).prop_map(Some), 1 => Just(None)];
    let most = (1u32..120, 1u32..40);
    let change = prop_oneof![9 => Just(None), 1 => (most, prop::array::uniform3(0i64..5_000)).prop_map(Some)];
    let returns = prop_oneof![2 => Just(None), 1 => (0i64..8_000).prop_map(Some)];
    let step = (0i64..600, change, 0usize..ISOLATES, 0u32..5, returns, (delay(), delay()), (delay(), delay()));
    let step = step.prop_map(|(pause, change, isolate, cost, returns, delays, return_delays)| SimulationStep {
        pause,
        change,
        isolate,
        cost,
        // A request costs one permit.
        returns: returns.filter(|_| cost == 1),
        delays,
        return_delays,
    });
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn limits_are_never_exceeded_and_permits_never_lost(
        steps in steps(), quota in 1u32..120, rate in proptest::option::of((1u32..40, 1u32..4)),
    ) {
        let rate = rate.map(|(limit, window_seconds)| RateLimit { limit, window_seconds });
        let limits = Limits { rate, quota: Some(Quota { limit: quota, period: Period::Day }) };
        let (mut simulation, mut now) = (Simulation::new(limits), NOW);
        for step in &steps {
            now = now.plus(step.pause);
            simulation.run_until(now);
            if let Some((most, delays)) = step.change {
                simulation.change_limits(most, delays, now);
            }
            simulation.apply(step, now);
        }
        // Every request is answered or timed out, every lease expired, and the network works again.
        now = now.plus(20_000);
        simulation.run_until(now);
        for isolate in 0..ISOLATES {
            simulation.handle(SimulationEvent::ReturnPermits(isolate, (Some(0), Some(0))), now);
        }
        simulation.run_until(now);
        if let Some(rate) = rate {
            prop_assert!(simulation.is_within_rate(rate.window()), "{:?}", simulation.spent);
        }
        let Record { limits, version, .. } = *simulation.latest();
        let ask = |need| LeaseRequest { limits, version, need, ..LeaseRequest::default() };
        // All that remains can be spent, and no more.
        let once = limits.rate.map_or(u32::MAX, |rate| rate.limit);
        let mut rest = limits.quota.unwrap().limit.saturating_sub(u32::try_from(simulation.spent.len()).unwrap());
        while rest > 0 {
            let need = rest.min(once);
            prop_assert!(matches!(simulation.meter.take(&ask(need), now), LeaseResponse::Lease(_)), "{} of {}", need, rest);
            rest -= need;
            now = now.plus(6_000);
        }
        prop_assert!(matches!(simulation.meter.take(&ask(1), now), LeaseResponse::Refused(refusal) if refusal.by_quota));
    }
}
