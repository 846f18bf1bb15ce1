//! Forwarded requests in flight to a service.
//!
//! A request is counted once it is known whether it reached the service. If it did not, its permit
//! of a quota comes back.

use ownchat_domain::{record::Record, scope::ScopeSet};
use std::rc::Rc;

/// Maximum requests in flight. Further ones are counted as soon as they are authorized.
const CAPACITY: usize = 10_000;

/// A forwarded request in flight.
#[derive(Clone, Debug)]
pub struct Forward {
    /// Record of its key.
    pub record: Rc<Record>,
    /// Number of the secret that matched.
    pub secret: Option<u32>,
    /// Scopes that it needed.
    pub required: ScopeSet,
    /// Lease of its permit, if it cost one.
    pub lease: Option<u64>,
}

/// Requests by number, from 1.
#[derive(Debug, Default)]
pub struct Forwards {
    entries: Vec<Option<Forward>>,
    free: Vec<u32>,
}

impl Forwards {
    /// Adds a request and returns its number.
    ///
    /// # Errors
    ///
    /// Returns the request if too many are in flight.
    pub fn add(&mut self, forward: Forward) -> Result<u32, Forward> {
        if let Some(number) = self.free.pop()
            && let Some(entry) = self.entry(number)
        {
            *entry = Some(forward);
            return Ok(number);
        }
        match u32::try_from(self.entries.len()) {
            Ok(last) if self.entries.len() < CAPACITY => {
                self.entries.push(Some(forward));
                Ok(last + 1)
            }
            _ => Err(forward),
        }
    }

    /// Removes a request by its number.
    pub fn take(&mut self, number: u32) -> Option<Forward> {
        let forward = self.entry(number)?.take()?;
        self.free.push(number);
        Some(forward)
    }

    fn entry(&mut self, number: u32) -> Option<&mut Option<Forward>> {
        self.entries.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;

    fn forward() -> Forward {
        Forward { record: record().into(), secret: Some(1), required: ScopeSet::EMPTY, lease: None }
    }

    #[test]
    fn number_is_taken_once_and_reused() {
        let mut forwards = Forwards::default();
        assert_eq!([forwards.add(forward()).unwrap(), forwards.add(forward()).unwrap()], [1, 2]);
        assert!(forwards.take(1).is_some() && forwards.take(1).is_none());
        assert!(forwards.take(0).is_none() && forwards.take(3).is_none());
        assert_eq!([forwards.add(forward()).unwrap(), forwards.add(forward()).unwrap()], [1, 3]);
    }

    #[test]
    fn forwards_are_bounded() {
        let mut forwards = Forwards::default();
        for _ in 0..CAPACITY {
            forwards.add(forward()).unwrap();
        }
        assert!(forwards.add(forward()).is_err());
        assert!(forwards.take(7).is_some());
        assert_eq!(forwards.add(forward()).unwrap(), 7);
    }
}
