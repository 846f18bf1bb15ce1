//! The check of a key, without anything that waits: text in, verdict out, unless a store must be asked.

mod accounting;
mod fetching;

pub use fetching::Admission;

use crate::{
    check::{Decision, KeyCheck, MatchedKey, PresentedKey, Requirements},
    deferred::{DeferredTask, DeferredTasks},
    feed_view::FeedView,
    forwards::Forwards,
    key_cache::{CachedKey, KeyCache},
    permits::{Permits, Spent},
    single_flight::SingleFlight,
    usage_buffer::UsageBuffer,
};
use ownchat_domain::{
    digest::{Fingerprint, SecretHash},
    feed::{Page, Position, Subject},
    keyring::Keyring,
    meter::{Lease, Refusal, Standing, Take},
    policy,
    record::{Record, RecordSecret},
    shield::Shield,
    time::{SECOND, Timestamp},
    token::{Token, locator_in},
    verdict::Denial,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Checks keys with the master secrets and with what is remembered.
#[derive(Debug)]
pub struct Authorizer {
    keyring: Keyring,
    key_cache: RefCell<KeyCache>,
    feed: RefCell<FeedView>,
    permits: RefCell<Permits>,
    fetches: RefCell<SingleFlight>,
    miss_limiter: RefCell<Shield>,
    usage: RefCell<UsageBuffer>,
    forwards: RefCell<Forwards>,
    deferred: RefCell<DeferredTasks>,
    /// When a younger record was asked for last.
    refreshed_at: Cell<Timestamp>,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Evaluation {
    /// Nothing: this is the outcome.
    Decided(Decision),
    /// The feed must be read: what is known of it is too old.
    NeedsFeed,
    /// The key must be looked up, in KV first: nothing is known of it, or something that was found so long ago and is older
    /// than the feed allows that there may be a newer copy.
    NeedsReplica,
    /// The vault must be asked for the key: what was found is older than the feed allows.
    NeedsVault,
    /// The vault must be asked for the key: the secret does not fit, and may be a new one.
    NeedsSecretRecheck,
    /// Everything is right but for permits, which must be asked for.
    NeedsPermits(Rc<Record>),
    /// It is decided, without permits, and the meter must be asked what is left of the limits: the answer tells so.
    NeedsStanding(Rc<Record>),
}

impl Authorizer {
    /// A gate that remembers nothing yet.
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

    /// The master secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Reads a key and proves from its tag that we issued it. No store is asked for one that was made up.
    pub fn parse_key(&self, text: &str) -> Result<PresentedKey, Denial> {
        if text.is_empty() {
            return Err(Denial::Missing);
        }
        // What has opened a record before is ours, and no more need be worked out of it.
        let fingerprint = Fingerprint::of(text);
        let matched = locator_in(text).and_then(|locator| self.key_cache.borrow().last_match(locator));
        if let Some(matched) = matched.filter(|matched| matched.key.fingerprint == fingerprint) {
            return Ok(matched.key);
        }
        let token = Token::parse(text).map_err(Denial::Malformed)?;
        let key_number = token.locator.open(&self.keyring, token.environment).ok_or(Denial::Forged)?;
        Ok(PresentedKey { locator: token.locator, key_number, fingerprint, hash: SecretHash::of(&token.secret) })
    }

    /// Reads the key of a check. One of a workspace that does not exist for the caller is unknown.
    pub fn key_of(&self, check: &KeyCheck<'_>) -> Result<PresentedKey, Denial> {
        let presented = self.parse_key(&check.key)?;
        let is_foreign = check.workspace.is_some_and(|number| number != presented.key_number.workspace);
        if is_foreign { Err(Denial::Unknown) } else { Ok(presented) }
    }

    /// Decides, if what is remembered suffices, or says what must be asked.
    ///
    /// A record may decide if the feed was read a moment ago and allows it, or if the vault itself said it a
    /// moment ago.
    ///
    /// A secret that does not fit may be a new one of a key that was just rotated: the vault is asked, unless it was for
    /// this call. `asked` says whether a store was.
    pub fn evaluate(
        &self,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        fetched: bool,
        now: Timestamp,
    ) -> Evaluation {
        let cached = self.key_cache.borrow().get(presented.locator, now);
        let feed = self.feed.borrow();
        let fresh = feed.is_fresh(presented.key_number.workspace, now);
        match cached {
            Some(cached) if cached.is_authoritative(now) => self.judge(&cached, presented, requirements, fetched, now),
            _ if !fresh => Evaluation::NeedsFeed,
            None => Evaluation::NeedsReplica,
            Some(cached) if cached.record.as_ref().is_none_or(|record| feed.allows(record)) => {
                self.judge(&cached, presented, requirements, fetched, now)
            }
            Some(cached) if cached.may_reread_replica(now) => Evaluation::NeedsReplica,
            Some(_) => Evaluation::NeedsVault,
        }
    }

    /// The same for a call for which the stores were asked in vain: decides, or says that permits must be asked for.
    pub fn evaluate_offline(
        &self,
        presented: &PresentedKey,
        requirements: &Requirements<'_>,
        now: Timestamp,
    ) -> Evaluation {
        let step = match self.evaluate(presented, requirements, false, now) {
            Evaluation::NeedsFeed | Evaluation::NeedsReplica | Evaluation::NeedsVault => {
                self.evaluate_without_vault(presented, requirements, now)
            }
            step => step,
        };
        // Nobody knows that the secret is wrong.
        if matches!(step, Evaluation::NeedsSecretRecheck) { Evaluation::Decided(Self::unavailable(None)) } else { step }
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
        let decided = match self.match_secret(cached, &record, presented) {
            Some(secret) => policy::judge(&record, secret, &requirements.call, now),
            None => Err(Denial::Unknown),
        };
        match decided {
            // It may be a new secret of a key that was just rotated, of which a copy need not know.
            Err(Denial::Unknown)
                if !(fetched && cached.from_vault || record.deleted || cached.is_recheck_limited(now)) =>
            {
                Evaluation::NeedsSecretRecheck
            }
            // What is deleted is nobody's business, and whose secret is wrong learns nothing.
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

    /// What is left of a key's limits, of a call that spends nothing of them; none if the meter must be asked.
    fn standing(&self, record: &Record, now: Timestamp) -> Option<Standing> {
        if record.limits.is_empty() {
            return Some(Standing::default());
        }
        self.permits.borrow().standing(record, now)
    }

    /// Takes in what the meter has said of what is left; nothing if it did not answer, and then it is not asked again for a while.
    pub fn set_standing(&self, record: &Record, standing: Standing, now: Timestamp) {
        self.permits.borrow_mut().set_standing(record, standing, now);
    }

    /// The secret of the record that this is.
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

    /// Decides without feed and vault, if the workspace has chosen that remembered keys stay good for a while.
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
        // What the vault itself said was true when it was asked, whether the feed was read or not.
        let vault_age = cached.from_vault.then(|| now.since(cached.requested_at));
        let age = feed.age(presented.key_number.workspace, now).into_iter().chain(vault_age).min();
        if age.is_some_and(|age| age < bound) && feed.allows(record) {
            self.judge(&cached, presented, requirements, false, now)
        } else {
            let matches = !record.deleted && self.match_secret(&cached, record, presented).is_some();
            Evaluation::Decided(Self::unavailable(matches.then(|| record.clone())))
        }
    }

    /// The refusal of a call that cannot be decided now; it is counted as one with this key.
    pub fn unavailable(record: Option<Rc<Record>>) -> Decision {
        Decision { record, ..Decision::refused(Denial::Unavailable) }
    }

    /// Remembers what a store said of a key.
    pub fn cache_key(&self, presented: &PresentedKey, cached: CachedKey) {
        self.key_cache.borrow_mut().insert(presented.locator, cached);
    }

    /// Notes that the feed of a workspace is asked, and returns from where.
    pub fn begin_feed_read(&self, workspace: u32, now: Timestamp) -> Position {
        self.feed.borrow_mut().begin_read(workspace, now)
    }

    /// Takes in what the feed said.
    pub fn apply_feed_page(&self, workspace: u32, page: Page, from: Position, asked_at: Timestamp) {
        let subjects = self.feed.borrow_mut().apply_page(workspace, page, from, asked_at);
        let mut key_cache = self.key_cache.borrow_mut();
        for subject in subjects {
            match subject {
                Subject::Key(locator) => key_cache.remove(locator),
                Subject::Workspace(number) | Subject::Sealed(number) => key_cache.remove_workspace(number),
            }
        }
    }

    /// The feed did not answer.
    pub fn feed_read_failed(&self, workspace: u32, now: Timestamp) {
        self.feed.borrow_mut().read_failed(workspace, now);
    }

    /// The age of the feed that was read longest ago, in milliseconds; none if none was read.
    pub fn feed_age(&self, now: Timestamp) -> Option<i64> {
        self.feed.borrow().oldest_age(now)
    }

    /// What to ask of the meter of a key; `random` makes the name of the lease.
    pub fn lease_request(&self, record: &Record, cost: u32, random: u64, now: Timestamp) -> Take {
        self.permits.borrow_mut().lease_request(record, cost, random, now)
    }

    /// Takes in a lease. Who waited for it is checked again, since much may have changed meanwhile.
    pub fn add_lease(&self, record: &Rc<Record>, lease: Lease, asked_at: Timestamp, now: Timestamp) {
        self.permits.borrow_mut().add_lease(record, lease, asked_at, now);
        self.schedule_return(record, now);
    }

    /// Takes in that the meter did not answer a question: what may have been granted, and what was to be given back, is
    /// given back later.
    pub fn lease_request_failed(&self, record: &Rc<Record>, request: Take, now: Timestamp) {
        self.permits.borrow_mut().request_failed(record.locator, request);
        self.schedule_return(record, now);
    }

    /// Sees to it that what is not spent goes back.
    fn schedule_return(&self, record: &Rc<Record>, now: Timestamp) {
        if let Some(due) = self.permits.borrow_mut().schedule_return(record.locator, now) {
            self.deferred.borrow_mut().push((due, DeferredTask::ReturnPermits(record.clone(), 0)));
        }
    }

    /// Takes back what a chore could not give back.
    pub fn keep_unspent(&self, record: &Record, unspent: Take) {
        self.permits.borrow_mut().request_failed(record.locator, unspent);
    }

    /// Takes in that the meter had no permits for a call of this cost, and refuses it, unless it is worth another check. For a
    /// moment nobody asks the meter again for that many.
    pub fn apply_refusal(
        &self,
        record: &Rc<Record>,
        cost: u32,
        refusal: Refusal,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<Decision> {
        let refuses = self.permits.borrow_mut().apply_refusal(record, cost, refusal, asked_at, now);
        refuses.then(|| Self::denied_by_limit(record.clone(), cost, &refusal))
    }

    fn denied_by_limit(record: Rc<Record>, cost: u32, refusal: &Refusal) -> Decision {
        let denial = Denial::by_limit(&record.limits, refusal.by_quota, cost, refusal.retry_after);
        Decision::denied(record, refusal.standing, denial)
    }

    /// What is left of ended leases of a key.
    pub fn take_unspent(&self, record: &Record, now: Timestamp) -> Option<Take> {
        self.permits.borrow_mut().take_unspent(record.locator, record.limits, record.version, now)
    }
}

#[cfg(test)]
mod tests;
