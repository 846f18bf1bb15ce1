//! Rate limiter for lookups of unknown keys; it protects the stores from floods of them.
//!
//! A made-up key fails its tag check and reaches no store. A deleted key passes that check. A
//! client with many deleted keys, or one that guesses long enough, could cause unlimited lookups.
//! Each network address gets a burst of lookups and then one per second. The generic cell rate
//! algorithm (GCRA, ITU-T I.371) needs one number per address. Only the response shows that a key
//! is unknown, so the lookups in flight are limited, too.

use crate::time::{SECOND, Timestamp};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

/// Refill interval: one more lookup per so many milliseconds.
const EVERY: i64 = SECOND;
/// Burst size, in lookups.
const BURST: i64 = 20;
/// Maximum lookups in flight per address. A service that verifies keys for many customers has one
/// address. With an empty cache, this limit still allows it thousands of keys a second.
const IN_FLIGHT_MAX: usize = 200;
/// Timeout of a lookup in milliseconds; after it the lookup counts as lost.
const LOOKUP_TIMEOUT: i64 = 10 * SECOND;
/// Maximum number of addresses tracked at once.
const CAPACITY: usize = 10_000;

/// Limiter state by client address, for lookups of unknown or uncached keys.
#[derive(Debug, Default)]
pub struct MissLimiter(HashMap<Option<IpAddr>, ClientState>);

#[derive(Debug)]
struct ClientState {
    /// Time at which the full burst is available again (GCRA theoretical arrival time).
    free_at: Timestamp,
    /// Start times of the lookups in flight, oldest first.
    in_flight: Vec<Timestamp>,
}

impl MissLimiter {
    /// Returns the wait in milliseconds before a lookup for this address; `None` for no wait.
    /// Clients with an unknown address share one limit.
    pub fn wait(&self, address: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let client = self.0.get(&address.map(network_of))?;
        let wait = client.free_at.since(now) - (BURST - 1) * EVERY;
        // A longer wait is impossible unless the clock was set back.
        (1..=EVERY).contains(&wait).then_some(wait)
    }

    /// Records a lookup of an unknown key.
    pub fn record_miss(&mut self, address: Option<IpAddr>, now: Timestamp) {
        let most = now.plus(BURST * EVERY);
        let client = self.client(address, now);
        client.free_at = client.free_at.max(now).plus(EVERY).min(most);
    }

    /// Returns true if the lookups in flight for this address have reached the maximum.
    pub fn is_full(&mut self, address: Option<IpAddr>, now: Timestamp) -> bool {
        self.0.get_mut(&address.map(network_of)).is_some_and(|client| {
            let in_flight = &mut client.in_flight;
            let goes_on = |begun: &Timestamp| (0..LOOKUP_TIMEOUT).contains(&now.since(*begun));
            if in_flight.len() >= IN_FLIGHT_MAX && !in_flight.first().is_some_and(goes_on) {
                in_flight.retain(goes_on);
            }
            in_flight.len() >= IN_FLIGHT_MAX
        })
    }

    /// Records the start of a lookup for an uncached key. [`Self::end`] ends it.
    pub fn begin(&mut self, address: Option<IpAddr>, now: Timestamp) {
        self.client(address, now).in_flight.push(now);
    }

    /// Records the end of the lookup that began at `begun`, with any outcome.
    pub fn end(&mut self, address: Option<IpAddr>, begun: Timestamp) {
        if let Some(ClientState { in_flight, .. }) = self.0.get_mut(&address.map(network_of))
            && let Some(place) = in_flight.iter().position(|other| *other == begun)
        {
            in_flight.remove(place);
        }
    }

    fn client(&mut self, address: Option<IpAddr>, now: Timestamp) -> &mut ClientState {
        if self.0.len() >= CAPACITY {
            self.0.retain(|_, client| client.free_at > now || !client.in_flight.is_empty());
            if self.0.len() >= CAPACITY {
                self.0.clear();
            }
        }
        self.0.entry(address.map(network_of)).or_insert(ClientState { free_at: now, in_flight: Vec::new() })
    }
}

/// Returns an IPv4 address itself, or the /64 network of an IPv6 address, which one client has (RFC
/// 6177).
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn from(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    /// Counts the unknown keys that pass from an address before the limiter holds it.
    fn until_held(limiter: &mut MissLimiter, address: Option<IpAddr>, now: Timestamp) -> i64 {
        (0..1_000)
            .find(|_| {
                let held = limiter.wait(address, now).is_some();
                if !held {
                    limiter.record_miss(address, now);
                }
                held
            })
            .unwrap()
    }

    #[test]
    fn a_flood_is_held_and_then_let_through_once_a_second() {
        let mut limiter = MissLimiter::default();
        assert_eq!(until_held(&mut limiter, from("192.0.2.1"), NOW), BURST);
        assert_eq!(limiter.wait(from("192.0.2.1"), NOW), Some(EVERY));
        assert_eq!(limiter.wait(from("192.0.2.1"), NOW.plus(400)), Some(600));
        assert_eq!(until_held(&mut limiter, from("192.0.2.1"), NOW.plus(EVERY)), 1);
        assert_eq!(until_held(&mut limiter, from("192.0.2.1"), NOW.plus(4 * EVERY)), 3);
        assert_eq!(until_held(&mut limiter, from("192.0.2.1"), NOW.plus(1_000 * EVERY)), BURST);
    }

    #[test]
    fn others_are_not_held_for_it_and_a_network_is_one_caller() {
        let mut limiter = MissLimiter::default();
        until_held(&mut limiter, from("192.0.2.1"), NOW);
        assert!(limiter.wait(from("::ffff:192.0.2.1"), NOW).is_some());
        assert_eq!(limiter.wait(from("192.0.2.2"), NOW), None);
        assert_eq!(limiter.wait(None, NOW), None);
        until_held(&mut limiter, from("2001:db8::1"), NOW);
        assert!(limiter.wait(from("2001:db8::ffff:1"), NOW).is_some());
        assert_eq!(limiter.wait(from("2001:db8:0:1::1"), NOW), None);
    }

    #[test]
    fn only_so_many_questions_of_one_address_are_under_way() {
        let (mut limiter, address) = (MissLimiter::default(), from("192.0.2.1"));
        for number in 0..IN_FLIGHT_MAX {
            assert!(!limiter.is_full(address, NOW), "{number}");
            limiter.begin(address, NOW.plus(i64::from(number == IN_FLIGHT_MAX - 1)));
        }
        assert!(limiter.is_full(address, NOW.plus(1)) && !limiter.is_full(from("192.0.2.2"), NOW));
        assert_eq!(limiter.wait(address, NOW), None, "nobody knows yet that they are unknown");
        limiter.end(address, NOW);
        assert!(!limiter.is_full(address, NOW.plus(1)));
        limiter.begin(address, NOW.plus(2));
        limiter.end(address, NOW.plus(3));
        assert!(limiter.is_full(address, NOW.plus(LOOKUP_TIMEOUT - 1)), "no question began then");
        assert!(!limiter.is_full(address, NOW.plus(LOOKUP_TIMEOUT)), "those that were never answered are lost");
        assert_eq!(limiter.0[&address].in_flight.len(), 2, "the others are still under way");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut limiter = MissLimiter::default();
        until_held(&mut limiter, from("192.0.2.1"), NOW);
        assert_eq!(limiter.wait(from("192.0.2.1"), NOW.plus(-3_600_000)), None);
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut limiter = MissLimiter::default();
        for number in 0..CAPACITY + 10 {
            let address = Some(Ipv6Addr::from_bits((number as u128) << 64).into());
            limiter.record_miss(address, NOW);
            limiter.begin(address, NOW);
            assert!(limiter.0.len() <= CAPACITY);
        }
    }
}
