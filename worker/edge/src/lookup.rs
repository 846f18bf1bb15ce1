//! Lookup: everything that waits. Fetches keys from KV and the vault, reads the revocation feed,
//! and leases permits from meters. Runs deferred tasks, with retry and back-off.
//!
//! A lookup is a state machine. `state` decides steps and transitions, [`check`] executes the
//! steps. A state says how far the stores were queried for the key:
//!
//! ```text
//!  request ──→ Cached ─── a store replied ───→ Fetched ⟲ a store replied
//!               │  │                              │
//!               │  └─── fetch failed ───┐         │ fetch failed, or not admitted
//!  not admitted │                       ↓         │
//!               └──→ Offline          Failed ←────┘
//! ```
//!
//! `Cached` and `Fetched` may query a store for the key. `Offline` and `Failed` decide as in an
//! outage. Each state evaluates the request from the caches, and makes the step that it lacks:
//!
//! | evaluation | step | then |
//! | --- | --- | --- |
//! | `Decided` | respond | **end** |
//! | `NeedsFeed` | read the feed; if it is down, fetch the key from the vault | evaluate |
//! | `NeedsReplica`, `NeedsVault`, `NeedsSecretRecheck` | fetch the key | evaluate in next state |
//! | `NeedsPermits` | lease permits | evaluate, or **end** with the meter's refusal |
//! | `NeedsStanding` | read the standing | evaluate |
//!
//! The authorizer admits each fetch of feed or key first. It may let the request poll for another
//! request's fetch, refuse the fetch ("not admitted"), or **end** the lookup as throttled. After 8
//! steps the lookup **ends** with "unavailable". Polls and refused fetches are no steps: polls end
//! with the timeout of a fetch, and a fetch is refused once.

mod fetch;
mod meter;
mod state;
mod tasks;

pub use tasks::run_deferred;

use crate::{
    authorizer::Admission,
    edge::{Edge, random},
    key_check::{Decision, KeyCheck},
    platform::{ErrorText, Platform, now, unexpected_status},
};
use fetch::{fetch_key, read_feed};
use meter::{lease_permits, read_standing};
use ownchat_domain::verdict::Denial;
use state::{Event, Fetch, Lookup, LookupStep};

/// Checks a key, with fetches from the stores where the caches do not suffice.
pub async fn check(edge: &Edge, platform: &Platform, check: &KeyCheck<'_>) -> Decision {
    let (authorizer, requirements) = (&edge.authorizer, &check.requirements());
    let presented = match authorizer.key_of(check) {
        Ok(presented) => presented,
        Err(denial) => return Decision::refused(denial),
    };
    let (workspace, client_ip) = (presented.key_number.workspace, requirements.client_ip);
    let (mut lookup, received_at) = (Lookup::default(), now());
    loop {
        if let Some(decision) = lookup.exhausted() {
            return decision;
        }
        let now = now();
        let evaluation = lookup.evaluate(authorizer, &presented, requirements, now);
        let event = match LookupStep::after(evaluation, authorizer.is_feed_down(workspace, now)) {
            LookupStep::Respond(decision) => {
                if lookup.is_miss(&decision) {
                    authorizer.note_unknown(&presented, client_ip, now);
                }
                return decision;
            }
            LookupStep::LeasePermits(record) => match lease_permits(edge, platform, &record, requirements.cost).await {
                Some(refused) => return refused,
                None => Event::Leased(record),
            },
            LookupStep::ReadStanding(record) => {
                read_standing(edge, platform, &record).await;
                Event::StandingRead
            }
            LookupStep::Fetch(fetch) => {
                let fetches_key = fetch != Fetch::Feed;
                match (authorizer.admit_fetch(&presented, client_ip, fetches_key, received_at, now), fetch) {
                    (Admission::Poll(wait), _) => {
                        platform.sleep_until(now.plus(wait)).await;
                        Event::Polled
                    }
                    (Admission::GoOffline, _) => Event::NotAdmitted,
                    (Admission::Throttle(retry_after), _) => {
                        return Decision::refused(Denial::TooManyUnknown { retry_after });
                    }
                    (Admission::Fetch, Fetch::Feed) => {
                        read_feed(authorizer, platform, workspace).await;
                        Event::FeedRead
                    }
                    (Admission::Fetch, Fetch::Key(fetch)) => {
                        match fetch_key(edge, platform, &presented, fetch, client_ip).await {
                            Ok(()) => Event::KeyFetched,
                            // The cached record may still suffice: for a wrong secret, or in an
                            // outage that the workspace tolerates.
                            Err(error) => {
                                platform.log_error(&format!("{}: {error}", presented.locator));
                                Event::FetchFailed
                            }
                        }
                    }
                }
            }
        };
        lookup.apply(event);
    }
}

/// Fetches a resource that the vault always has.
async fn call_vault(platform: &Platform, path: &str, body: Option<Vec<u8>>, millis: u32) -> Result<Vec<u8>, ErrorText> {
    match platform.vault(path, body, millis).await? {
        (200, bytes) => Ok(bytes),
        (status, _) => Err(unexpected_status(status)),
    }
}

/// Returns a random number of 64 bits.
fn random_u64() -> u64 {
    u64::try_from(random() >> 64).unwrap_or(1)
}
