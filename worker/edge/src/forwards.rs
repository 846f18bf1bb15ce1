//! Requests that were authorized and are on their way to a service.
//!
//! They are counted once it is known whether they reached it, and a permit of a quota comes back if
//! they did not.

use ownchat_domain::{record::Record, scope::ScopeSet};
use std::rc::Rc;

/// Most requests on their way at once. More are counted as soon as they were checked.
const CAPACITY: usize = 10_000;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The key's record.
    pub record: Rc<Record>,
    /// Number of the secret that was right.
    pub secret: Option<u32>,
    /// The scopes that the request needed.
    pub required: ScopeSet,
    /// The lease of the permit that it cost, if it cost one.
    pub lease: Option<u64>,
}

/// Requests by numbers, from 1.
#[derive(Debug, Default)]
pub struct Forwards {
    entries: Vec<Option<Forward>>,
    free: Vec<u32>,
}

impl Forwards {
    /// Adds a request and returns its number, or gives it back if there are too many.
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
    fn a_number_is_taken_once_and_given_again() {
        let mut forwards = Forwards::default();
        assert_eq!([forwards.add(forward()).unwrap(), forwards.add(forward()).unwrap()], [1, 2]);
        assert!(forwards.take(1).is_some() && forwards.take(1).is_none());
        assert!(forwards.take(0).is_none() && forwards.take(3).is_none());
        assert_eq!([forwards.add(forward()).unwrap(), forwards.add(forward()).unwrap()], [1, 3]);
    }

    #[test]
    fn there_are_no_more_than_fit() {
        let mut forwards = Forwards::default();
        for _ in 0..CAPACITY {
            forwards.add(forward()).unwrap();
        }
        assert!(forwards.add(forward()).is_err());
        assert!(forwards.take(7).is_some());
        assert_eq!(forwards.add(forward()).unwrap(), 7);
    }
}
