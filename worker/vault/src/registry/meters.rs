//! The meters of keys, as the registry needs them.

use crate::{object::send, timeout::with_timeout};
use ownchat_domain::{
    locator::Locator,
    meter::Outlook,
    vault::{
        Object,
        meter::{BelieveAnew, ClearMeter, LookAhead},
    },
};
use worker::{Env, console_warn};

/// For how long somebody who wants a call explained waits for a meter, in milliseconds: as long as the edge does.
const TIMEOUT: u32 = 2_000;

/// The meters of keys, as the registry needs them.
pub trait Meters {
    /// Deletes what the meter of a key has stored.
    async fn clear(&self, key: Locator) -> Result<(), String>;
    /// Has the meter of a key believe its next record, whatever version that has.
    async fn accept_any_version(&self, key: Locator) -> Result<(), String>;
    /// How a call would fare; nothing if the meter does not answer.
    async fn look_ahead(&self, key: Locator, call: &LookAhead) -> Option<Outlook>;
}

impl Meters for Env {
    async fn clear(&self, key: Locator) -> Result<(), String> {
        send(self, Object::Meter(key), &ClearMeter {}).await.map_err(|failure| failure.to_string())
    }

    async fn accept_any_version(&self, key: Locator) -> Result<(), String> {
        send(self, Object::Meter(key), &BelieveAnew {}).await.map_err(|failure| failure.to_string())
    }

    async fn look_ahead(&self, key: Locator, call: &LookAhead) -> Option<Outlook> {
        let answer = with_timeout(TIMEOUT, send(self, Object::Meter(key), call)).await;
        if answer.is_none() {
            console_warn!("registry: meter of key {key}: no answer in time");
        }
        answer?.ok()
    }
}

#[cfg(test)]
pub mod memory {
    //! Meters in memory, for tests.
    #![allow(missing_docs)]

    use super::{LookAhead, Meters, Outlook};
    use ownchat_domain::{locator::Locator, meter::Meter, time::Timestamp};
    use std::cell::RefCell;

    #[derive(Default)]
    pub struct MemoryMeters {
        /// Those that answer nobody.
        pub failing: RefCell<Vec<Locator>>,
        pub cleared: RefCell<Vec<Locator>>,
        /// Those that believe any version.
        pub version_reset: RefCell<Vec<Locator>>,
        /// What is counted, by all of them together, and the time on their clock.
        pub meter: RefCell<Meter>,
        pub now: Timestamp,
    }

    impl MemoryMeters {
        fn answer<T>(&self, key: Locator, value: T) -> Result<T, String> {
            if self.failing.borrow().contains(&key) { Err("down".into()) } else { Ok(value) }
        }
    }

    impl Meters for MemoryMeters {
        async fn clear(&self, key: Locator) -> Result<(), String> {
            self.answer(key, ())?;
            self.cleared.borrow_mut().push(key);
            Ok(())
        }

        async fn accept_any_version(&self, key: Locator) -> Result<(), String> {
            self.answer(key, ())?;
            self.version_reset.borrow_mut().push(key);
            Ok(())
        }

        async fn look_ahead(&self, key: Locator, call: &LookAhead) -> Option<Outlook> {
            self.answer(key, self.meter.borrow().look(call.limits, call.version, call.cost, self.now)).ok()
        }
    }
}
