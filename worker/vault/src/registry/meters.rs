//! The meters of keys that were removed for good: what they have stored is deleted.
//!
//! A row is put in by the transaction that removes the key and taken out when its meter has answered. Every such key has one,
//! since nobody knows any more whether it ever had a limit; to clear a meter that was never used costs one question.

use super::{outbox::back_off, rows::time};
use crate::{
    database::{Database, DatabaseError, Stored},
    object::ask,
    patience::within,
};
use ownchat_domain::{
    locator::Locator,
    meter::Outlook,
    time::Timestamp,
    vault::{
        Object,
        meter::{ClearMeter, LookAhead},
    },
};
use worker::{Env, console_warn};

/// Most meters that one alarm clears; the rest follow with the next.
const BATCH: i64 = 100;

/// For how long somebody who wants a call explained waits for a meter, in milliseconds: as long as the edge does.
const PATIENCE: u32 = 2_000;

/// The meters of keys, as the registry needs them.
pub trait Meters {
    /// Deletes what the meter of a key has stored.
    async fn clear(&self, key: Locator) -> Result<(), String>;
    /// How a call would fare; nothing if the meter does not answer.
    async fn look_ahead(&self, key: Locator, call: &LookAhead) -> Option<Outlook>;
}

impl Meters for Env {
    async fn clear(&self, key: Locator) -> Result<(), String> {
        ask(self, Object::Meter(key), &ClearMeter {}).await.map_err(|failure| failure.to_string())
    }

    async fn look_ahead(&self, key: Locator, call: &LookAhead) -> Option<Outlook> {
        let answer = within(PATIENCE, ask(self, Object::Meter(key), call)).await;
        if answer.is_none() {
            console_warn!("registry: meter of key {key}: no answer in time");
        }
        answer?.ok()
    }
}

/// Notes that the meter of a key is to be cleared.
pub fn enqueue(database: &impl Database, key: Locator, now: Timestamp) -> Stored<()> {
    database.run(
        "INSERT INTO meters (locator, due_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        &[key.to_string().into(), time(now)],
    )?;
    Ok(())
}

/// When the next meter is to be cleared, if any waits.
pub fn next_due(database: &impl Database) -> Stored<Option<Timestamp>> {
    match database.first("SELECT min(due_at) FROM meters", &[])? {
        Some(mut row) => Ok(row.optional_integer()?.map(Timestamp::from_millis)),
        None => Ok(None),
    }
}

/// Clears every meter that is due. One that fails waits, longer each time, and keeps no other from being cleared; what was
/// wrong with it is returned, for the log.
pub async fn clear(database: &impl Database, meters: &impl Meters, now: impl Fn() -> Timestamp) -> Stored<Vec<String>> {
    let mut troubles = Vec::new();
    for (locator, attempts) in due(database, now())? {
        let key = locator.parse().map_err(|_| DatabaseError("not a locator".into()))?;
        if let Err(error) = meters.clear(key).await {
            troubles.push(format!("meter of key {locator}: {error}"));
            database.run(
                "UPDATE meters SET due_at = ?, attempts = attempts + 1 WHERE locator = ?",
                &[time(now().plus(back_off(attempts))), locator.into()],
            )?;
        } else {
            database.run("DELETE FROM meters WHERE locator = ?", &[locator.into()])?;
        }
    }
    Ok(troubles)
}

fn due(database: &impl Database, now: Timestamp) -> Stored<Vec<(String, i64)>> {
    database
        .run(
            "SELECT locator, attempts FROM meters WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            &[time(now), BATCH.into()],
        )?
        .into_iter()
        .map(|mut row| Ok((row.text()?, row.integer()?)))
        .collect()
}

#[cfg(test)]
pub mod memory {
    //! Meters in memory, for tests.
    #![allow(missing_docs)]

    use super::{LookAhead, Meters, Outlook};
    use ownchat_domain::{locator::Locator, meter::Meter, time::Timestamp};
    use std::cell::RefCell;

    #[derive(Default)]
    pub struct Memory {
        /// Those that answer nobody.
        pub failing: RefCell<Vec<Locator>>,
        pub cleared: RefCell<Vec<Locator>>,
        /// What is counted, by all of them together, and the time on their clock.
        pub meter: RefCell<Meter>,
        pub now: Timestamp,
    }

    impl Memory {
        fn answer<T>(&self, key: Locator, value: T) -> Result<T, String> {
            if self.failing.borrow().contains(&key) { Err("down".into()) } else { Ok(value) }
        }
    }

    impl Meters for Memory {
        async fn clear(&self, key: Locator) -> Result<(), String> {
            self.answer(key, ())?;
            self.cleared.borrow_mut().push(key);
            Ok(())
        }

        async fn look_ahead(&self, key: Locator, call: &LookAhead) -> Option<Outlook> {
            self.answer(key, self.meter.borrow().look(call.limits, call.version, call.cost, self.now)).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{memory::Memory, *};
    use crate::registry::{
        copies::memory::at_once,
        testing::{NOW, count, workspace},
    };

    fn key(number: u32) -> Locator {
        format!("{number:016}").parse().unwrap()
    }

    #[test]
    fn a_meter_that_fails_is_tried_again_and_keeps_no_other() {
        let (database, meters) = (workspace(), Memory::default());
        meters.failing.borrow_mut().push(key(1));
        for number in 1..4 {
            enqueue(&database, key(number), NOW).unwrap();
            enqueue(&database, key(number), NOW).unwrap();
        }
        let turn = |now| at_once(clear(&database, &meters, || now)).unwrap().len();
        assert_eq!(next_due(&database), Ok(Some(NOW)));
        assert_eq!((turn(NOW), meters.cleared.borrow().clone()), (1, vec![key(2), key(3)]));
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(1_000))));
        assert_eq!((turn(NOW.plus(999)), turn(NOW.plus(1_000))), (0, 1));
        assert_eq!(next_due(&database), Ok(Some(NOW.plus(3_000))), "later each time");
        meters.failing.borrow_mut().clear();
        assert_eq!(turn(NOW.plus(3_000)), 0);
        assert_eq!((meters.cleared.borrow().len(), next_due(&database)), (3, Ok(None)));
        assert_eq!(count(&database, "meters"), 0);
    }
}
