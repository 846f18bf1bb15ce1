//! Who asks the stores for what, and who must not.

use super::{Checked, Gate, Presented};
use ownchat_domain::{locator::Locator, time::Timestamp, verdict::Denial};
use std::net::IpAddr;

impl Gate {
    /// Whether the feed of a workspace was asked lately and did not answer.
    pub fn is_feed_down(&self, workspace: u32, now: Timestamp) -> bool {
        self.news.borrow().is_down(workspace, now)
    }

    /// Whether somebody is reading the feed of a workspace.
    pub fn is_feed_asked(&self, workspace: u32, now: Timestamp) -> bool {
        self.news.borrow().is_asked(workspace, now)
    }

    /// Whether somebody is asking a store for a key.
    pub fn is_asked(&self, locator: Locator, now: Timestamp) -> bool {
        self.flights.borrow().is_under_way(locator, now)
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

    /// A store that was asked then for a key has answered, or failed to.
    pub fn answered(&self, presented: &Presented, is_new: bool, caller: Option<IpAddr>, asked_at: Timestamp) {
        self.flights.borrow_mut().end(presented.locator);
        if is_new {
            self.shield.borrow_mut().end(caller, asked_at);
        }
    }

    /// The refusal of a caller who sent so many unknown keys that no store is asked for more of them yet.
    pub fn flooded(&self, presented: &Presented, caller: Option<IpAddr>, now: Timestamp) -> Option<Checked> {
        let retry_after = self.shield.borrow().holds(caller, now)?;
        (!self.knows(presented, now)).then(|| Checked::refused(Denial::TooManyUnknown { retry_after }))
    }

    /// Whether a store is asked for so many keys of this caller, of which nothing is known, that one more must wait.
    pub fn is_crowded(&self, presented: &Presented, caller: Option<IpAddr>, now: Timestamp) -> bool {
        self.shield.borrow_mut().is_full(caller, now) && !self.knows(presented, now)
    }

    /// Notes that a store was asked for a key of this caller, if it is unknown. A wrong secret of a key that exists is
    /// none: whoever guesses has the vault asked once a second at most.
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
