//! The states of a lookup, its steps and its transitions, without the platform. The drawing stands
//! in [`super`].

use crate::{
    authorizer::{Authorizer, Evaluation},
    key_cache::REFRESH_AFTER,
    key_check::{Decision, PresentedKey, Requirements},
};
use ownchat_domain::{
    record::{LIFETIME, Record},
    time::Timestamp,
    verdict::Denial,
};
use std::rc::Rc;

/// Maximum steps of a lookup. Each step fetches what the last evaluation lacked; a result that came
/// too late is fetched again.
const MAX_STEPS: usize = 8;

/// The lookup of one request.
#[derive(Debug, Default)]
pub struct Lookup {
    state: State,
    /// Steps so far.
    steps: usize,
    /// The key whose permits were leased.
    leased: Option<Rc<Record>>,
}

/// The state of a lookup: the part that the stores have in it so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// No store was queried for the key.
    #[default]
    Cached,
    /// A store replied about the key.
    Fetched,
    /// No store was queried for the key, and none may be.
    Offline,
    /// A store was queried for the key, and none may be again.
    Failed,
}

/// The next step of a lookup.
#[derive(Debug)]
pub enum LookupStep {
    /// Respond: the request is decided.
    Respond(Decision),
    /// Fetch, if the authorizer admits it.
    Fetch(Fetch),
    /// Lease permits of the key.
    LeasePermits(Rc<Record>),
    /// Read the standing of the key's limits.
    ReadStanding(Rc<Record>),
}

/// A fetch that the authorizer must admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// The workspace's feed.
    Feed,
    /// The key.
    Key(KeyFetch),
}

/// The fetch of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFetch {
    /// From its KV replica, or else from the vault.
    Replica,
    /// The same, if the replica is newer than the cached record.
    NewerReplica,
    /// From the vault.
    Vault,
    /// From the vault, because the secret does not match.
    SecretRecheck,
}

/// The result of a step that does not end the lookup.
#[derive(Debug)]
pub enum Event {
    /// A store replied about the key.
    KeyFetched,
    /// The fetch of the key failed.
    FetchFailed,
    /// The authorizer does not admit the fetch.
    NotAdmitted,
    /// Another request's fetch was waited for.
    Polled,
    /// The feed was read. A failure is noted in the view of it.
    FeedRead,
    /// Permits of this key were leased.
    Leased(Rc<Record>),
    /// The standing of the limits was read.
    StandingRead,
}

impl State {
    /// Returns the state after an event.
    const fn after(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Cached | Self::Fetched, Event::KeyFetched) => Self::Fetched,
            (Self::Cached | Self::Fetched, Event::FetchFailed) | (Self::Fetched, Event::NotAdmitted) => Self::Failed,
            (Self::Cached, Event::NotAdmitted) => Self::Offline,
            // The feed, permits and standings are in the caches.
            (state, _) => state,
        }
    }
}

impl Lookup {
    /// Evaluates the request, with the stores or as in an outage.
    pub fn evaluate(
        &self,
        authorizer: &Authorizer,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        now: Timestamp,
    ) -> Evaluation {
        match self.state {
            State::Cached | State::Fetched => {
                authorizer.evaluate(presented, requirements, self.state == State::Fetched, now)
            }
            State::Offline | State::Failed => authorizer.evaluate_offline(presented, requirements, now),
        }
    }

    /// Applies the result of a step.
    pub fn apply(&mut self, event: Event) {
        self.state = self.state.after(&event);
        match event {
            Event::NotAdmitted | Event::Polled => return,
            Event::Leased(record) => self.leased = Some(record),
            Event::KeyFetched | Event::FetchFailed | Event::FeedRead | Event::StandingRead => {}
        }
        self.steps += 1;
    }

    /// Returns the decision of a lookup that has made all its steps.
    pub fn exhausted(&self) -> Option<Decision> {
        (self.steps >= MAX_STEPS).then(|| Authorizer::unavailable(self.leased.clone()))
    }

    /// Returns true if the decision counts as an unknown key of the client: a store was queried
    /// for it.
    pub fn is_miss(&self, decision: &Decision) -> bool {
        matches!(self.state, State::Fetched | State::Failed) && matches!(decision.verdict, Err(Denial::Unknown))
    }
}

impl LookupStep {
    /// Returns the step that an evaluation needs.
    pub fn after(evaluation: Evaluation, is_feed_down: bool) -> Self {
        match evaluation {
            Evaluation::Decided(decision) => Self::Respond(decision),
            Evaluation::NeedsPermits(record) => Self::LeasePermits(record),
            Evaluation::NeedsStanding(record) => Self::ReadStanding(record),
            Evaluation::NeedsFeed if !is_feed_down => Self::Fetch(Fetch::Feed),
            // Without the feed, the vault itself must confirm the key.
            Evaluation::NeedsFeed | Evaluation::NeedsVault => Self::Fetch(Fetch::Key(KeyFetch::Vault)),
            Evaluation::NeedsReplica => Self::Fetch(Fetch::Key(KeyFetch::Replica)),
            Evaluation::NeedsSecretRecheck => Self::Fetch(Fetch::Key(KeyFetch::SecretRecheck)),
        }
    }
}

impl KeyFetch {
    /// Returns the age in milliseconds that a replica must be below to count; none if KV is not
    /// read.
    pub const fn replica_age(self) -> Option<i64> {
        match self {
            Self::Replica => Some(LIFETIME),
            Self::NewerReplica => Some(REFRESH_AFTER),
            Self::Vault | Self::SecretRecheck => None,
        }
    }
}

#[cfg(test)]
mod tests;
