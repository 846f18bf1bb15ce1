//! The authorizer: decides whether a key may make a request, synchronously and from the caches.
//! Where they do not suffice, it says which fetch `lookup` must do. `parse_key` verifies the tag,
//! `judge` matches the secret, runs the domain's `checks`, and applies the limits.

mod accounting;
mod fetching;

pub use fetching::Admission;

use crate::{
    deferred::{DeferredTask, DeferredTasks},
    feed_view::FeedView,
    forwards::Forwards,
    key_cache::{CachedKey, KeyCache},
    key_check::{Decision, KeyCheck, MatchedKey, PresentedKey, Requirements},
    permits::{Permits, Spent},
    single_flight::SingleFlight,
    usage_buffer::UsageBuffer,
};
use ownchat_domain::{
    checks,
    digest::{Fingerprint, SecretHash},
    feed::{Affected, Page, Position},
    keyring::Keyring,
    meter::{Lease, LeaseRequest, LimitState, Refusal},
    miss_limiter::MissLimiter,
    record::{Record, RecordSecret},
    time::{SECOND, Timestamp},
    token::{Token, locator_in},
    verdict::Denial,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Authorizes keys with the master secrets and the caches of this isolate.
#[derive(Debug)]
pub struct Authorizer {
    keyring: Keyring,
    key_cache: RefCell<KeyCache>,
    feed: RefCell<FeedView>,
    permits: RefCell<Permits>,
    fetches: RefCell<SingleFlight>,
    miss_limiter: RefCell<MissLimiter>,
    usage: RefCell<UsageBuffer>,
    forwards: RefCell<Forwards>,
    deferred: RefCell<DeferredTasks>,
    /// Time of the last background refresh of a record.
    refreshed_at: Cell<Timestamp>,
}

/// The result of an evaluation: a decision, or the fetch that it lacks.
#[derive(Debug)]
pub enum Evaluation {
    /// The request is decided.
    Decided(Decision),
    /// The feed must be read: the view of it is stale.
    NeedsFeed,
    /// The KV replica must be read: no record is cached. Or the cached record is older than the
    /// feed allows, and KV may have a newer one by now.
    NeedsReplica,
    /// The vault must be queried: the cached record is older than the feed allows.
    NeedsVault,
    /// The vault must be queried: no secret of the record matches, and the key may have been
    /// rotated.
    NeedsSecretRecheck,
    /// Permits of this key must be leased; every other check passed.
    NeedsPermits(Rc<Record>),
    /// The request is decided without permits. Only the standing of the limits, which the response
    /// reports, must be read from the meter.
    NeedsStanding(Rc<Record>),
}

impl Authorizer {
    /// Creates an authorizer with empty caches.
    pub fn new(keyring: Keyring) -> Self {
        Self {
            keyring,
            key_cache: RefCell::default(),
            feed: RefCell::default(),
            permits: RefCell::default(),
            fetches: RefCell::default(),
            miss_limiter: RefCell::default(),
            usage: RefCell::default(),
            forwards: RefCell::default(),
            deferred: RefCell::default(),
            refreshed_at: Cell::new(Timestamp::from_millis(0)),
        }
    }

    /// Returns the master secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Parses a key and verifies from its tag that we issued it, so a made-up key costs no store
    /// access.
    ///
    /// # Errors
    ///
    /// Fails if the key is missing, malformed or forged.
    pub fn parse_key(&self, text: &str) -> Result<PresentedKey, Denial> {
        if text.is_empty() {
            return Err(Denial::Missing);
        }
        // A key that matched a record before is ours, so it need not be verified again.
        let fingerprint = Fingerprint::of(text);
        let matched = locator_in(text).and_then(|locator| self.key_cache.borrow().last_match(locator));
        if let Some(matched) = matched.filter(|matched| matched.key.fingerprint == fingerprint) {
            return Ok(matched.key);
        }
        let token = Token::parse(text).map_err(Denial::Malformed)?;
        let key_number = token.locator.open(&self.keyring, token.environment).ok_or(Denial::Forged)?;
        Ok(PresentedKey { locator: token.locator, key_number, fingerprint, hash: SecretHash::of(&token.secret) })
    }

    /// Parses the key of a check. A key of a workspace that does not exist for the caller is
    /// unknown.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::parse_key`], or with [`Denial::Unknown`].
    pub fn key_of(&self, check: &KeyCheck<'_>) -> Result<PresentedKey, Denial> {
        let presented = self.parse_key(&check.key)?;
        let is_foreign = check.workspace.is_some_and(|number| number != presented.key_number.workspace);
        if is_foreign { Err(Denial::Unknown) } else { Ok(presented) }
    }

    /// Decides from the caches, or returns the fetch that is needed first.
    ///
    /// A cached record may decide if the view of the feed is fresh and allows it. Without the feed
    /// it may if the vault itself returned it a moment ago.
    ///
    /// A secret that does not match may be the new one of a key that was just rotated. So the vault
    /// is queried, unless `fetched` says that this request has already queried a store.
    pub fn evaluate(
        &self,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        fetched: bool,
        now: Timestamp,
    ) -> Evaluation {
        let cached = self.key_cache.borrow().get(presented.locator, now);
        let feed = self.feed.borrow();
        let is_fresh = feed.is_fresh(presented.key_number.workspace, now);
        match cached {
            Some(cached) if cached.is_authoritative(now) => self.judge(&cached, presented, requirements, fetched, now),
            _ if !is_fresh => Evaluation::NeedsFeed,
            None => Evaluation::NeedsReplica,
            Some(cached) if cached.record.as_ref().is_none_or(|record| feed.allows(record)) => {
                self.judge(&cached, presented, requirements, fetched, now)
            }
            Some(cached) if cached.may_reread_replica(now) => Evaluation::NeedsReplica,
            Some(_) => Evaluation::NeedsVault,
        }
    }

    /// Evaluates a request whose fetches failed: decides, or returns that permits must be leased.
    pub fn evaluate_offline(
        &self,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        now: Timestamp,
    ) -> Evaluation {
        let evaluation = match self.evaluate(presented, requirements, false, now) {
            Evaluation::NeedsFeed | Evaluation::NeedsReplica | Evaluation::NeedsVault => {
                self.evaluate_without_vault(presented, requirements, now)
            }
            evaluation => evaluation,
        };
        // Without the vault nobody knows that the secret is wrong.
        if matches!(evaluation, Evaluation::NeedsSecretRecheck) {
            Evaluation::Decided(Self::unavailable(None))
        } else {
            evaluation
        }
    }

    fn judge(
        &self,
        cached: &CachedKey,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        fetched: bool,
        now: Timestamp,
    ) -> Evaluation {
        let Some(record) = cached.record.clone() else {
            return Evaluation::Decided(Decision::refused(Denial::Unknown));
        };
        let verdict = match self.match_secret(cached, &record, presented) {
            Some(secret) => checks::judge(&record, secret, &requirements.request, now),
            None => Err(Denial::Unknown),
        };
        match verdict {
            // The key may have just been rotated, and a replica need not know the new secret yet.
            Err(Denial::Unknown)
                if !(fetched && cached.from_vault || record.deleted || cached.is_recheck_limited(now)) =>
            {
                Evaluation::NeedsSecretRecheck
            }
            // A deleted key is unknown to everybody, and a wrong secret reveals nothing of the
            // record.
            Err(Denial::Unknown) => Evaluation::Decided(Decision::refused(Denial::Unknown)),
            Err(denial) => match self.standing(&record, now) {
                Some(standing) => Evaluation::Decided(Decision::denied(record, standing, denial)),
                None => Evaluation::NeedsStanding(record),
            },
            Ok(secret) if record.limits.is_empty() || requirements.cost == 0 => match self.standing(&record, now) {
                Some(standing) => {
                    Evaluation::Decided(Decision::passed(record, secret, cached.derived.clone(), standing))
                }
                None => Evaluation::NeedsStanding(record),
            },
            Ok(secret) => match self.permits.borrow_mut().spend(&record, requirements.cost, now) {
                Some(Ok(Spent { standing, lease })) => {
                    let passed = Decision::passed(record, secret, cached.derived.clone(), standing);
                    Evaluation::Decided(Decision { lease: Some(lease), ..passed })
                }
                Some(Err(refusal)) => Evaluation::Decided(Self::denied_by_limit(record, requirements.cost, &refusal)),
                None => Evaluation::NeedsPermits(record),
            },
        }
    }

    /// Returns the standing of a key's limits for a request that spends no permits. Returns none if
    /// the meter must be queried.
    fn standing(&self, record: &Record, now: Timestamp) -> Option<LimitState> {
        if record.limits.is_empty() {
            return Some(LimitState::default());
        }
        self.permits.borrow().standing(record, now)
    }

    /// Caches the standing that the meter returned. An empty one, after a failure, keeps the meter
    /// from being queried again for a while.
    pub fn set_standing(&self, record: &Record, standing: LimitState, now: Timestamp) {
        self.permits.borrow_mut().set_standing(record, standing, now);
    }

    /// Returns the secret of the record that the key matches.
    fn match_secret<'a>(
        &self,
        cached: &CachedKey,
        record: &'a Record,
        presented: &PresentedKey,
    ) -> Option<&'a RecordSecret> {
        if let Some(number) = cached.matched_secret(presented.fingerprint) {
            return record.secrets.iter().find(|secret| secret.number == number);
        }
        let secret = record.recognise(&presented.hash, &self.keyring)?;
        cached.derived.matched.set(Some(MatchedKey { key: *presented, secret: secret.number }));
        Some(secret)
    }

    /// Decides without feed and vault, if the workspace accepts cached keys for a while in an
    /// outage.
    fn evaluate_without_vault(
        &self,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        now: Timestamp,
    ) -> Evaluation {
        let Some(cached) = self.key_cache.borrow().get(presented.locator, now) else {
            return Evaluation::Decided(Self::unavailable(None));
        };
        let Some(record) = &cached.record else { return Evaluation::Decided(Self::unavailable(None)) };
        let feed = self.feed.borrow();
        let bound = i64::from(record.workspace.outage_seconds) * SECOND;
        // A record from the vault was true when it was requested, whether the feed was read or not.
        let vault_age = cached.from_vault.then(|| now.since(cached.requested_at));
        let age = feed.age(presented.key_number.workspace, now).into_iter().chain(vault_age).min();
        if age.is_some_and(|age| age < bound) && feed.allows(record) {
            self.judge(&cached, presented, requirements, false, now)
        } else {
            let matches = !record.deleted && self.match_secret(&cached, record, presented).is_some();
            Evaluation::Decided(Self::unavailable(matches.then(|| record.clone())))
        }
    }

    /// Returns the denial of a request that cannot be decided now. With a record, it counts as a
    /// request of that key.
    pub fn unavailable(record: Option<Rc<Record>>) -> Decision {
        Decision { record, ..Decision::refused(Denial::Unavailable) }
    }

    /// Caches the result of a fetch.
    pub fn cache_key(&self, presented: &PresentedKey, cached: CachedKey) {
        self.key_cache.borrow_mut().insert(presented.locator, cached);
    }

    /// Marks a read of the workspace's feed as in flight and returns the position to read from.
    pub fn begin_feed_read(&self, workspace: u32, now: Timestamp) -> Position {
        self.feed.borrow_mut().begin_read(workspace, now)
    }

    /// Applies a page of the feed and evicts the records that it names.
    pub fn apply_feed_page(&self, workspace: u32, page: Page, from: Position, requested_at: Timestamp) {
        let subjects = self.feed.borrow_mut().apply_page(workspace, page, from, requested_at);
        let mut key_cache = self.key_cache.borrow_mut();
        for subject in subjects {
            match subject {
                Affected::Key(locator) => key_cache.remove(locator),
                Affected::Workspace(number) | Affected::Sealed(number) => key_cache.remove_workspace(number),
            }
        }
    }

    /// Marks a read of the feed as failed.
    pub fn feed_read_failed(&self, workspace: u32, now: Timestamp) {
        self.feed.borrow_mut().read_failed(workspace, now);
    }

    /// Returns the age of the least recently read feed, in milliseconds; none before the first
    /// read.
    pub fn feed_age(&self, now: Timestamp) -> Option<i64> {
        self.feed.borrow().oldest_age(now)
    }

    /// Builds the lease request to a key's meter; `random` becomes the name of the lease.
    pub fn lease_request(&self, record: &Record, cost: u32, random: u64, now: Timestamp) -> LeaseRequest {
        self.permits.borrow_mut().lease_request(record, cost, random, now)
    }

    /// Adds a lease. The request that waited for it is evaluated again, since much may have changed
    /// meanwhile.
    pub fn add_lease(&self, record: &Rc<Record>, lease: Lease, requested_at: Timestamp, now: Timestamp) {
        self.permits.borrow_mut().add_lease(record, lease, requested_at, now);
        self.schedule_return(record, now);
    }

    /// Handles a lease request without a response. A lease that may have been granted is returned
    /// later, with the permits that the request was to return.
    pub fn lease_request_failed(&self, record: &Rc<Record>, request: LeaseRequest, now: Timestamp) {
        self.permits.borrow_mut().request_failed(record.locator, request);
        self.schedule_return(record, now);
    }

    /// Schedules the return of unspent permits.
    fn schedule_return(&self, record: &Rc<Record>, now: Timestamp) {
        if let Some(due) = self.permits.borrow_mut().schedule_return(record.locator, now) {
            self.deferred.borrow_mut().push((due, DeferredTask::ReturnPermits(record.clone(), 0)));
        }
    }

    /// Keeps permits whose return failed.
    pub fn keep_unspent(&self, record: &Record, unspent: LeaseRequest) {
        self.permits.borrow_mut().request_failed(record.locator, unspent);
    }

    /// Applies a refusal by the meter. Returns the denial, unless the request is worth another
    /// evaluation. The refusal is cached for a moment, so the meter is not queried again for as
    /// many permits.
    pub fn apply_refusal(
        &self,
        record: &Rc<Record>,
        cost: u32,
        refusal: Refusal,
        requested_at: Timestamp,
        now: Timestamp,
    ) -> Option<Decision> {
        let refuses = self.permits.borrow_mut().apply_refusal(record, cost, refusal, requested_at, now);
        refuses.then(|| Self::denied_by_limit(record.clone(), cost, &refusal))
    }

    fn denied_by_limit(record: Rc<Record>, cost: u32, refusal: &Refusal) -> Decision {
        let denial = Denial::by_limit(&record.limits, refusal.by_quota, cost, refusal.retry_after);
        Decision::denied(record, refusal.standing, denial)
    }

    /// Takes the unspent permits of expired leases.
    pub fn take_unspent(&self, record: &Record, now: Timestamp) -> Option<LeaseRequest> {
        self.permits.borrow_mut().take_unspent(record.locator, record.limits, record.version, now)
    }
}

#[cfg(test)]
mod tests;
