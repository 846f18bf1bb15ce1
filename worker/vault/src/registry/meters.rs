//! Meters of limited keys, as a port of the registry.

use crate::{log, object::send, timeout::with_timeout};
use ownchat_domain::{
    locator::Locator,
    meter::Outlook,
    vault::{
        Object,
        meter::{AcceptAnyVersion, ClearMeter, LookAhead},
    },
};
use worker::Env;

/// Timeout of a meter when a request is explained, in milliseconds: the same as at the edge.
const TIMEOUT: u32 = 2_000;

/// Meters of limited keys.
pub trait Meters {
    /// Deletes everything that a meter has stored.
    async fn clear(&self, key: Locator) -> Result<(), String>;
    /// Makes a meter accept its next record, whatever its version.
    async fn accept_any_version(&self, key: Locator) -> Result<(), String>;
    /// Returns the outcome that a request would have, or `None` if the meter does not respond.
    async fn look_ahead(&self, key: Locator, command: &LookAhead) -> Option<Outlook>;
}

impl Meters for Env {
    async fn clear(&self, key: Locator) -> Result<(), String> {
        send(self, Object::Meter(key), &ClearMeter {}).await.map_err(|failure| failure.to_string())
    }

    async fn accept_any_version(&self, key: Locator) -> Result<(), String> {
        send(self, Object::Meter(key), &AcceptAnyVersion {}).await.map_err(|failure| failure.to_string())
    }

    async fn look_ahead(&self, key: Locator, command: &LookAhead) -> Option<Outlook> {
        let response = with_timeout(TIMEOUT, send(self, Object::Meter(key), command)).await;
        if response.is_none() {
            log::warning(format_args!("meter of key {key}: no response in time"));
        }
        response?.ok()
    }
}

#[cfg(test)]
pub mod memory {
    //! In-memory meters, for tests.
    #![allow(missing_docs)]

    use super::{LookAhead, Meters, Outlook};
    use ownchat_domain::{locator::Locator, meter::MeterState, time::Timestamp};
    use std::cell::RefCell;

    #[derive(Default)]
    pub struct MemoryMeters {
        /// Meters whose requests fail.
        pub failing: RefCell<Vec<Locator>>,
        pub cleared: RefCell<Vec<Locator>>,
        /// Meters that accept any version.
        pub version_reset: RefCell<Vec<Locator>>,
        /// The one meter behind all of them, and its clock.
        pub meter: RefCell<MeterState>,
        pub now: Timestamp,
    }

    impl MemoryMeters {
        fn respond<T>(&self, key: Locator, value: T) -> Result<T, String> {
            if self.failing.borrow().contains(&key) { Err("down".into()) } else { Ok(value) }
        }
    }

    impl Meters for MemoryMeters {
        async fn clear(&self, key: Locator) -> Result<(), String> {
            self.respond(key, ())?;
            self.cleared.borrow_mut().push(key);
            Ok(())
        }

        async fn accept_any_version(&self, key: Locator) -> Result<(), String> {
            self.respond(key, ())?;
            self.version_reset.borrow_mut().push(key);
            Ok(())
        }

        async fn look_ahead(&self, key: Locator, command: &LookAhead) -> Option<Outlook> {
            self.respond(key, self.meter.borrow().look(command.limits, command.version, command.cost, self.now)).ok()
        }
    }
}
