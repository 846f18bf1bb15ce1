//! Keeps stores from floods of keys that look like ours and are unknown.
//!
//! A key that was made up fails at its tag and costs no store anything. One that was issued once and is gone
//! passes that check, so whoever has many of those, or guesses long enough, could have the stores asked without
//! end. Each network address gets some such questions at once and one a second after that; the cell
//! rate algorithm (ITU-T I.371) needs one number for each address.

use crate::time::{SECOND, Timestamp};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

/// One more question is granted after so many milliseconds.
const EVERY: i64 = SECOND;
/// So many are granted at once.
const BURST: i64 = 20;
/// Most addresses that are watched at once.
const CAPACITY: usize = 10_000;

/// The addresses from which unknown keys came, each with the time at which it is free of them again.
#[derive(Debug, Default)]
pub struct Shield(HashMap<Option<IpAddr>, Timestamp>);

impl Shield {
    /// How long this address must wait until a store is asked for it, in milliseconds; none if it need not.
    /// Callers whose address is not known are held together.
    pub fn holds(&self, address: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let free_at = self.0.get(&network_of(address))?;
        let wait = free_at.since(now) - (BURST - 1) * EVERY;
        // What lies further ahead than it can be comes of a clock that was set back.
        (1..=EVERY).contains(&wait).then_some(wait)
    }

    /// Notes that a store was asked for a key that is unknown.
    pub fn note(&mut self, address: Option<IpAddr>, now: Timestamp) {
        if self.0.len() >= CAPACITY {
            self.0.retain(|_, free_at| *free_at > now);
            if self.0.len() >= CAPACITY {
                self.0.clear();
            }
        }
        let most = now.plus(BURST * EVERY);
        let free_at = self.0.entry(network_of(address)).or_insert(now);
        *free_at = (*free_at).max(now).plus(EVERY).min(most);
    }
}

/// The address, or of IPv6 its network of 64 bits, which is what one caller has (RFC 6177).
fn network_of(address: Option<IpAddr>) -> Option<IpAddr> {
    Some(match address?.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn from(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    /// How many unknown keys come through from an address until it is held.
    fn until_held(shield: &mut Shield, address: Option<IpAddr>, now: Timestamp) -> i64 {
        (0..1_000)
            .find(|_| {
                let held = shield.holds(address, now).is_some();
                if !held {
                    shield.note(address, now);
                }
                held
            })
            .unwrap()
    }

    #[test]
    fn a_flood_is_held_and_then_let_through_once_a_second() {
        let mut shield = Shield::default();
        assert_eq!(until_held(&mut shield, from("192.0.2.1"), NOW), BURST);
        assert_eq!(shield.holds(from("192.0.2.1"), NOW), Some(EVERY));
        assert_eq!(shield.holds(from("192.0.2.1"), NOW.plus(400)), Some(600));
        assert_eq!(until_held(&mut shield, from("192.0.2.1"), NOW.plus(EVERY)), 1);
        assert_eq!(until_held(&mut shield, from("192.0.2.1"), NOW.plus(4 * EVERY)), 3);
        assert_eq!(until_held(&mut shield, from("192.0.2.1"), NOW.plus(1_000 * EVERY)), BURST);
    }

    #[test]
    fn others_are_not_held_for_it_and_a_network_is_one_caller() {
        let mut shield = Shield::default();
        until_held(&mut shield, from("192.0.2.1"), NOW);
        assert!(shield.holds(from("::ffff:192.0.2.1"), NOW).is_some());
        assert_eq!(shield.holds(from("192.0.2.2"), NOW), None);
        assert_eq!(shield.holds(None, NOW), None);
        until_held(&mut shield, from("2001:db8::1"), NOW);
        assert!(shield.holds(from("2001:db8::ffff:1"), NOW).is_some());
        assert_eq!(shield.holds(from("2001:db8:0:1::1"), NOW), None);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut shield = Shield::default();
        until_held(&mut shield, from("192.0.2.1"), NOW);
        assert_eq!(shield.holds(from("192.0.2.1"), NOW.plus(-3_600_000)), None);
    }

    #[test]
    fn it_does_not_grow_beyond_its_capacity() {
        let mut shield = Shield::default();
        for number in 0..CAPACITY + 10 {
            shield.note(Some(Ipv6Addr::from_bits((number as u128) << 64).into()), NOW);
        }
        assert!(shield.0.len() <= CAPACITY);
    }
}
