//! Who asks the stores for what, and who must not.

use super::Gate;
use crate::{
    check::Presented,
    single_flight::LOST_AFTER,
    timeout::{FEED, KV, METER, REGISTRY},
};
use ownchat_domain::time::{SECOND, Timestamp};
use std::net::IpAddr;

/// Milliseconds between two looks at whether somebody else has brought what is lacking. Whoever has waited for long looks
/// less often, and of those who wait for others' keys there may be many.
const LOOK: i64 = 5;
const LOOK_OF_MANY: i64 = 20;
/// A call asks neither for its key nor for the feed so long after it came, in milliseconds.
const ASKS_FOR: i64 = LOST_AFTER + FEED as i64;
/// An answer comes within so many milliseconds, with one question to a meter at its end.
const PATIENCE: i64 = 12 * SECOND;
const _: () = assert!(ASKS_FOR + ((KV + REGISTRY + METER) as i64) < PATIENCE);

/// What a call does that lacks something.
#[derive(Debug)]
pub enum Turn {
    /// It asks.
    Ask,
    /// It looks again after so many milliseconds, since somebody else asks.
    Look(i64),
    /// It goes on as if it had asked in vain.
    GoAlone,
    /// It is refused, since there are too many like it: let the caller try again after so many milliseconds.
    Refuse(i64),
}

impl Gate {
    /// What a call does that came at `begun` and lacks something: what a store knows of its key, or else the feed.
    pub fn turn(
        &self,
        presented: &Presented,
        caller: Option<IpAddr>,
        about_key: bool,
        begun: Timestamp,
        now: Timestamp,
    ) -> Turn {
        let waited = now.since(begun);
        let (waits, crowded) = if about_key {
            if self.asks_in_vain(presented, now) {
                return Turn::GoAlone;
            }
            if let Some(wait) = self.flooded(presented, caller, now) {
                return Turn::Refuse(wait);
            }
            let waits = self.flights.borrow().is_under_way(presented.locator, now);
            (waits, !waits && self.is_crowded(presented, caller, now))
        } else {
            (self.news.borrow().is_asked(presented.address.workspace, now), false)
        };
        match (waits || crowded, waited < LOST_AFTER) {
            (false, _) if waited < ASKS_FOR => Turn::Ask,
            (true, true) => Turn::Look((waited / 32).max(if waits { LOOK } else { LOOK_OF_MANY })),
            _ if crowded => Turn::Refuse(SECOND),
            _ => Turn::GoAlone,
        }
    }

    /// Whether the last question about a key failed a moment ago, and this secret does not fit what is remembered. So
    /// guessing costs three questions a second at most, also while nobody answers.
    fn asks_in_vain(&self, presented: &Presented, now: Timestamp) -> bool {
        self.flights.borrow().has_failed(presented.locator, now)
            && self.memory.borrow().recall(presented.locator, now).is_some_and(|memo| {
                memo.known.as_ref().is_some_and(|record| self.recognise(&memo, record, presented).is_none())
            })
    }

    /// Whether the feed of a workspace was asked lately and did not answer.
    pub fn is_feed_down(&self, workspace: u32, now: Timestamp) -> bool {
        self.news.borrow().is_down(workspace, now)
    }

    /// Notes that a store is asked for a key, and first for its copy if `copy` says so. [`Self::answered`] ends it. Says
    /// whether nothing is known of the key.
    pub fn ask(&self, presented: &Presented, copy: bool, caller: Option<IpAddr>, now: Timestamp) -> bool {
        self.flights.borrow_mut().begin(presented.locator, now);
        if copy {
            self.memory.borrow_mut().look(presented.locator, now);
        }
        let is_new = !self.knows(presented, now);
        if is_new {
            self.shield.borrow_mut().begin(caller, now);
        }
        is_new
    }

    /// A store that was asked then for a key has answered, or failed to, at `failed_at`.
    pub fn answered(
        &self,
        presented: &Presented,
        is_new: bool,
        caller: Option<IpAddr>,
        asked_at: Timestamp,
        failed_at: Option<Timestamp>,
    ) {
        let mut flights = self.flights.borrow_mut();
        match failed_at {
            Some(now) => flights.fail(presented.locator, now),
            None => flights.end(presented.locator),
        }
        if is_new {
            self.shield.borrow_mut().end(caller, asked_at);
        }
    }

    /// How long a caller must wait who sent so many unknown keys that no store is asked for more of them yet.
    pub(super) fn flooded(&self, presented: &Presented, caller: Option<IpAddr>, now: Timestamp) -> Option<i64> {
        let wait = self.shield.borrow().holds(caller, now)?;
        (!self.knows(presented, now)).then_some(wait)
    }

    /// Whether a store is asked for so many keys of this caller, of which nothing is known, that one more must wait.
    pub(super) fn is_crowded(&self, presented: &Presented, caller: Option<IpAddr>, now: Timestamp) -> bool {
        self.shield.borrow_mut().is_full(caller, now) && !self.knows(presented, now)
    }

    /// Notes that a store was asked for a key of this caller, if it is unknown. A wrong secret of a key that exists is
    /// none: whoever guesses has the vault asked a few times a second at most.
    pub fn was_asked(&self, presented: &Presented, caller: Option<IpAddr>, now: Timestamp) {
        if !self.knows(presented, now) {
            self.shield.borrow_mut().note(caller, now);
        }
    }

    /// Whether a key is remembered under this locator that exists, be it good or not.
    fn knows(&self, presented: &Presented, now: Timestamp) -> bool {
        let memo = self.memory.borrow().recall(presented.locator, now);
        memo.and_then(|memo| memo.known).is_some_and(|record| !record.deleted)
    }
}
