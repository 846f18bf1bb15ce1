//! The check of a key, without anything that waits: text in, verdict out, unless a store must be asked.

mod accounting;
mod fetching;

pub use fetching::Turn;

use crate::{
    check::{Check, Checked, Opened, Presented, Wanted},
    deferred::{Chore, Chores},
    feed_view::News,
    forwards::Forwards,
    key_cache::{Memo, Memory},
    permits::{Purse, Spent},
    single_flight::Flights,
    usage_buffer::Counts,
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
pub struct Gate {
    keyring: Keyring,
    memory: RefCell<Memory>,
    news: RefCell<News>,
    purse: RefCell<Purse>,
    flights: RefCell<Flights>,
    shield: RefCell<Shield>,
    counts: RefCell<Counts>,
    forwards: RefCell<Forwards>,
    chores: RefCell<Chores>,
    /// When a younger record was asked for last.
    renewed_at: Cell<Timestamp>,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Nothing: this is the outcome.
    Done(Checked),
    /// The feed must be read: what is known of it is too old.
    ReadFeed,
    /// The key must be looked up, in KV first: nothing is known of it, or something that was found so long ago and is older
    /// than the feed allows that there may be a newer copy.
    Find,
    /// The vault must be asked for the key: what was found is older than the feed allows.
    AskVault,
    /// The vault must be asked for the key: the secret does not fit, and may be a new one.
    AskForSecret,
    /// Everything is right but for permits, which must be asked for.
    Take(Rc<Record>),
    /// It is decided, without permits, and the meter must be asked what is left of the limits: the answer tells so.
    Look(Rc<Record>),
}

impl Gate {
    /// A gate that remembers nothing yet.
    pub fn new(keyring: Keyring) -> Self {
        Self {
            keyring,
            memory: RefCell::default(),
            news: RefCell::default(),
            purse: RefCell::default(),
            flights: RefCell::default(),
            shield: RefCell::default(),
            counts: RefCell::default(),
            forwards: RefCell::default(),
            chores: RefCell::default(),
            renewed_at: Cell::new(Timestamp::from_millis(0)),
        }
    }

    /// The master secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Reads a key and proves from its tag that we issued it. No store is asked for one that was made up.
    pub fn read(&self, text: &str) -> Result<Presented, Denial> {
        if text.is_empty() {
            return Err(Denial::Missing);
        }
        // What has opened a record before is ours, and no more need be worked out of it.
        let fingerprint = Fingerprint::of(text);
        let opened = locator_in(text).and_then(|locator| self.memory.borrow().opened(locator));
        if let Some(opened) = opened.filter(|opened| opened.by.fingerprint == fingerprint) {
            return Ok(opened.by);
        }
        let token = Token::parse(text).map_err(Denial::Malformed)?;
        let address = token.locator.open(&self.keyring, token.environment).ok_or(Denial::Forged)?;
        Ok(Presented { locator: token.locator, address, fingerprint, hash: SecretHash::of(&token.secret) })
    }

    /// Reads the key of a check. One of a workspace that does not exist for the caller is unknown.
    pub fn read_for(&self, check: &Check<'_>) -> Result<Presented, Denial> {
        let presented = self.read(&check.key)?;
        let is_foreign = check.workspace.is_some_and(|number| number != presented.address.workspace);
        if is_foreign { Err(Denial::Unknown) } else { Ok(presented) }
    }

    /// Decides, if what is remembered suffices, or says what must be asked.
    ///
    /// A record may decide if the feed was read a moment ago and allows it, or if the vault itself said it a
    /// moment ago.
    ///
    /// A secret that does not fit may be a new one of a key that was just rotated: the vault is asked, unless it was for
    /// this call. `asked` says whether a store was.
    pub fn step(&self, presented: &Presented, wanted: &Wanted<'_>, asked: bool, now: Timestamp) -> Step {
        let memo = self.memory.borrow().recall(presented.locator, now);
        let news = self.news.borrow();
        let fresh = news.is_fresh(presented.address.workspace, now);
        match memo {
            Some(memo) if memo.vouches(now) => self.judge(&memo, presented, wanted, asked, now),
            _ if !fresh => Step::ReadFeed,
            None => Step::Find,
            Some(memo) if memo.known.as_ref().is_none_or(|record| news.allows(record)) => {
                self.judge(&memo, presented, wanted, asked, now)
            }
            Some(memo) if memo.may_be_renewed(now) => Step::Find,
            Some(_) => Step::AskVault,
        }
    }

    /// The same for a call for which the stores were asked in vain: decides, or says that permits must be asked for.
    pub fn step_alone(&self, presented: &Presented, wanted: &Wanted<'_>, now: Timestamp) -> Step {
        let step = match self.step(presented, wanted, false, now) {
            Step::ReadFeed | Step::Find | Step::AskVault => self.without_vault(presented, wanted, now),
            step => step,
        };
        // Nobody knows that the secret is wrong.
        if matches!(step, Step::AskForSecret) { Step::Done(Self::undecided(None)) } else { step }
    }

    fn judge(&self, memo: &Memo, presented: &Presented, wanted: &Wanted<'_>, asked: bool, now: Timestamp) -> Step {
        let Some(record) = memo.known.clone() else { return Step::Done(Checked::refused(Denial::Unknown)) };
        let decided = match self.recognise(memo, &record, presented) {
            Some(secret) => policy::judge(&record, secret, &wanted.call, now),
            None => Err(Denial::Unknown),
        };
        match decided {
            // It may be a new secret of a key that was just rotated, of which a copy need not know.
            Err(Denial::Unknown) if !(asked && memo.is_truth || record.deleted || memo.is_news(now)) => {
                Step::AskForSecret
            }
            // What is deleted is nobody's business, and whose secret is wrong learns nothing.
            Err(Denial::Unknown) => Step::Done(Checked::refused(Denial::Unknown)),
            Err(denial) => match self.standing(&record, now) {
                Some(standing) => Step::Done(Checked::denied(record, standing, denial)),
                None => Step::Look(record),
            },
            Ok(secret) if record.limits.is_empty() || wanted.cost == 0 => match self.standing(&record, now) {
                Some(standing) => Step::Done(Checked::passed(record, secret, memo.found_out.clone(), standing)),
                None => Step::Look(record),
            },
            Ok(secret) => match self.purse.borrow_mut().spend(&record, wanted.cost, now) {
                Some(Ok(Spent { standing, lease })) => {
                    let passed = Checked::passed(record, secret, memo.found_out.clone(), standing);
                    Step::Done(Checked { lease: Some(lease), ..passed })
                }
                Some(Err(refusal)) => Step::Done(Self::refused(record, wanted.cost, &refusal)),
                None => Step::Take(record),
            },
        }
    }

    /// What is left of a key's limits, of a call that spends nothing of them; none if the meter must be asked.
    fn standing(&self, record: &Record, now: Timestamp) -> Option<Standing> {
        if record.limits.is_empty() {
            return Some(Standing::default());
        }
        self.purse.borrow().standing(record, now)
    }

    /// Takes in what the meter has said of what is left; nothing if it did not answer, and then it is not asked again for a while.
    pub fn told(&self, record: &Record, standing: Standing, now: Timestamp) {
        self.purse.borrow_mut().tell(record, standing, now);
    }

    /// The secret of the record that this is.
    fn recognise<'a>(&self, memo: &Memo, record: &'a Record, presented: &Presented) -> Option<&'a RecordSecret> {
        if let Some(number) = memo.opened_by(presented.fingerprint) {
            return record.secrets.iter().find(|secret| secret.number == number);
        }
        let secret = record.recognise(&presented.hash, &self.keyring)?;
        memo.found_out.opened.set(Some(Opened { by: *presented, secret: secret.number }));
        Some(secret)
    }

    /// Decides without feed and vault, if the workspace has chosen that remembered keys stay good for a while.
    fn without_vault(&self, presented: &Presented, wanted: &Wanted<'_>, now: Timestamp) -> Step {
        let Some(memo) = self.memory.borrow().recall(presented.locator, now) else {
            return Step::Done(Self::undecided(None));
        };
        let Some(record) = &memo.known else { return Step::Done(Self::undecided(None)) };
        let news = self.news.borrow();
        let bound = i64::from(record.workspace.outage_seconds) * SECOND;
        // What the vault itself said was true when it was asked, whether the feed was read or not.
        let told = memo.is_truth.then(|| now.since(memo.asked_at));
        let age = news.age(presented.address.workspace, now).into_iter().chain(told).min();
        if age.is_some_and(|age| age < bound) && news.allows(record) {
            self.judge(&memo, presented, wanted, false, now)
        } else {
            let is_it = !record.deleted && self.recognise(&memo, record, presented).is_some();
            Step::Done(Self::undecided(is_it.then(|| record.clone())))
        }
    }

    /// The refusal of a call that cannot be decided now; it is counted as one with this key.
    pub fn undecided(record: Option<Rc<Record>>) -> Checked {
        Checked { record, ..Checked::refused(Denial::Unavailable) }
    }

    /// Remembers what a store said of a key.
    pub fn learn(&self, presented: &Presented, memo: Memo) {
        self.memory.borrow_mut().remember(presented.locator, memo);
    }

    /// Notes that the feed of a workspace is asked, and returns from where.
    pub fn ask_feed(&self, workspace: u32, now: Timestamp) -> Position {
        self.news.borrow_mut().ask(workspace, now)
    }

    /// Takes in what the feed said.
    pub fn hear(&self, workspace: u32, page: Page, from: Position, asked_at: Timestamp) {
        let told = self.news.borrow_mut().learn(workspace, page, from, asked_at);
        let mut memory = self.memory.borrow_mut();
        for subject in told {
            match subject {
                Subject::Key(locator) => memory.forget(locator),
                Subject::Workspace(number) | Subject::Sealed(number) => memory.forget_workspace(number),
            }
        }
    }

    /// The feed did not answer.
    pub fn missed(&self, workspace: u32, now: Timestamp) {
        self.news.borrow_mut().lost(workspace, now);
    }

    /// The age of the feed that was read longest ago, in milliseconds; none if none was read.
    pub fn feed_age(&self, now: Timestamp) -> Option<i64> {
        self.news.borrow().oldest(now)
    }

    /// What to ask of the meter of a key; `random` makes the name of the lease.
    pub fn question(&self, record: &Record, cost: u32, random: u64, now: Timestamp) -> Take {
        self.purse.borrow_mut().question(record, cost, random, now)
    }

    /// Takes in a lease. Who waited for it is checked again, since much may have changed meanwhile.
    pub fn lease(&self, record: &Rc<Record>, lease: Lease, asked_at: Timestamp, now: Timestamp) {
        self.purse.borrow_mut().put(record, lease, asked_at, now);
        self.watch(record, now);
    }

    /// Takes in that the meter did not answer a question: what may have been granted, and what was to be given back, is
    /// given back later.
    pub fn no_answer(&self, record: &Rc<Record>, question: Take, now: Timestamp) {
        self.purse.borrow_mut().lost(record.locator, question);
        self.watch(record, now);
    }

    /// Sees to it that what is not spent goes back.
    fn watch(&self, record: &Rc<Record>, now: Timestamp) {
        if let Some(due) = self.purse.borrow_mut().watch(record.locator, now) {
            self.chores.borrow_mut().push((due, Chore::GiveBack(record.clone(), 0)));
        }
    }

    /// Takes back what a chore could not give back.
    pub fn keep(&self, record: &Record, leftovers: Take) {
        self.purse.borrow_mut().lost(record.locator, leftovers);
    }

    /// Takes in that the meter had no permits for a call of this cost, and refuses it, unless it is worth another check. For a
    /// moment nobody asks the meter again for that many.
    pub fn no_lease(
        &self,
        record: &Rc<Record>,
        cost: u32,
        refusal: Refusal,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<Checked> {
        let refuses = self.purse.borrow_mut().refuse(record, cost, refusal, asked_at, now);
        refuses.then(|| Self::refused(record.clone(), cost, &refusal))
    }

    fn refused(record: Rc<Record>, cost: u32, refusal: &Refusal) -> Checked {
        let denial = Denial::by_limit(&record.limits, refusal.by_quota, cost, refusal.retry_after);
        Checked::denied(record, refusal.standing, denial)
    }

    /// What is left of ended leases of a key.
    pub fn leftovers(&self, record: &Record, now: Timestamp) -> Option<Take> {
        self.purse.borrow_mut().leftovers(record.locator, record.limits, record.version, now)
    }
}

#[cfg(test)]
mod tests;
