//! What a workspace should be after each command, in the plainest words.

use super::asking::{Asker, Deed};
use crate::registry::rows::KeyRow;
use ownchat_domain::{
    locator::Locator,
    time::{DAY, SECOND, Timestamp},
    verdict::Code,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Done; the version afterwards.
    Done(u64),
    /// What an earlier request of the same name was answered: this key.
    Replayed(Locator),
    NotFound,
    Stale,
    Invalid,
    Reused,
    /// The key that asks is not heard.
    Refused(Code),
    /// The key that asks lacks this scope.
    Lacks(&'static str),
    /// The key that asks would give what it does not hold.
    NotHeld,
    /// The key that asks would give more freedom than it has.
    Beyond,
}

/// A request that is done once: what it is about, its name, and its body.
#[derive(Clone)]
pub struct Named {
    pub about: String,
    pub name: u64,
    pub body: u64,
}

/// What a request that is done once was answered at first, and how long that is remembered.
struct Answered {
    body: u64,
    id: Locator,
    until: Timestamp,
}

/// A change of one key.
pub enum Change {
    Name(&'static str),
    Status(bool, Option<&'static str>),
    Scopes(Vec<&'static str>),
    End(Option<Timestamp>),
    Rate(Option<u32>),
    Allow(Option<&'static str>),
    /// Something that no key can be.
    Wrong,
}

/// A key, as far as the walk changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub version: u64,
    name: String,
    pub active: bool,
    reason: Option<String>,
    pub scopes: BTreeSet<String>,
    pub end: Option<Timestamp>,
    rate: Option<u32>,
    pub allow: Vec<String>,
    pub deleted_at: Option<Timestamp>,
    /// Ends of its secrets, the eldest first.
    pub secrets: Vec<Option<Timestamp>>,
}

impl Key {
    /// The same of a row.
    pub fn of(row: &KeyRow) -> Self {
        Self {
            version: row.version,
            name: row.details.name.clone(),
            active: row.active,
            reason: row.reason.clone(),
            scopes: row.details.scopes.names().into_iter().collect(),
            end: row.details.expires_at,
            rate: row.details.limits.rate.map(|rate| rate.limit),
            allow: row.details.networks.allow.iter().map(ToString::to_string).collect(),
            deleted_at: row.deleted_at,
            secrets: row.secrets.iter().map(|secret| secret.ends_at).collect(),
        }
    }

    /// Whether nobody switched it off or deleted it.
    pub const fn is_live(&self) -> bool {
        self.active && self.deleted_at.is_none()
    }

    /// Number of its newest secret.
    pub fn newest(&self) -> usize {
        self.secrets.len()
    }

    /// The key after a change that lets somebody use it more freely than before.
    pub fn given_by(&self, change: &Change) -> Option<Self> {
        let after = self.after(change);
        let gives = match change {
            Change::Name(_) | Change::Status(false, _) => false,
            Change::Status(true, _) => !self.active,
            Change::Scopes(_) => {
                let mut had = self.scopes.clone();
                if had.contains("contacts:write") {
                    had.insert("contacts:read".into());
                }
                !after.scopes.is_subset(&had)
            }
            Change::End(end) => self.end.is_some_and(|was| end.is_none_or(|end| end > was)),
            Change::Rate(rate) => self.rate.is_some_and(|was| rate.is_none_or(|rate| rate > was)),
            Change::Allow(_) => !self.allow.is_empty() && after.allow != self.allow,
            Change::Wrong => true,
        };
        gives.then_some(after)
    }

    fn after(&self, change: &Change) -> Self {
        let mut after = self.clone();
        match change {
            Change::Name(name) => after.name = (*name).into(),
            Change::Status(true, _) => (after.active, after.reason) = (true, None),
            Change::Status(false, reason) => {
                after.active = false;
                after.reason = reason.map(str::to_owned).or(after.reason);
            }
            Change::Scopes(scopes) => after.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            Change::End(end) => after.end = *end,
            Change::Rate(rate) => after.rate = *rate,
            Change::Allow(allow) => after.allow = allow.map(str::to_owned).into_iter().collect(),
            Change::Wrong => {}
        }
        after
    }
}

/// The workspace.
pub struct Model {
    /// Those that were not removed for good.
    pub keys: BTreeMap<Locator, Key>,
    /// Every id that there ever was.
    pub ever: Vec<Locator>,
    pub lines: u64,
    /// Who gives the command of this step.
    pub asker: Asker,
    /// Action of the line that the last command wrote, if it wrote one.
    pub last_action: Option<&'static str>,
    /// Version, suspended, seconds of outage.
    pub settings: (u64, bool, u32),
    /// What the feed must be told; the workspace is the empty name.
    pub untold: BTreeMap<String, u64>,
    due: BTreeSet<Locator>,
    published: BTreeMap<Locator, Timestamp>,
    answers: BTreeMap<(String, String, u64), Answered>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            ever: Vec::new(),
            lines: 0,
            asker: Asker::Owner,
            last_action: None,
            settings: (1, false, 0),
            untold: BTreeMap::new(),
            due: BTreeSet::new(),
            published: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }
}

impl Model {
    pub fn version(&self, id: Locator) -> u64 {
        self.keys.get(&id).map_or(1, |key| key.version)
    }

    /// `id` is the key that was made, if one was.
    pub fn create(
        &mut self,
        name: &str,
        scopes: &[&str],
        once: Option<&Named>,
        id: Option<Locator>,
        now: Timestamp,
    ) -> Said {
        self.last_action = None;
        if let Err(said) = self.may_make(now) {
            return said;
        }
        if let Some(said) = self.answered(once, now) {
            return said;
        }
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        if name.is_empty() {
            return Said::Invalid;
        }
        let key = Key {
            version: 1,
            name: name.into(),
            active: true,
            reason: None,
            scopes,
            end: None,
            rate: None,
            allow: Vec::new(),
            deleted_at: None,
            secrets: vec![None],
        };
        if let Err(said) = self.may_give(&key) {
            return said;
        }
        let Some(id) = id else { return Said::Invalid };
        self.made(id, key, "key.create", once, now)
    }

    /// The copy has another name if one is given. `id` is the key that was made, if one was.
    pub fn duplicate(
        &mut self,
        source: Locator,
        name: Option<&str>,
        once: Option<&Named>,
        id: Option<Locator>,
        now: Timestamp,
    ) -> Said {
        self.last_action = None;
        if let Err(said) = self.may_make(now) {
            return said;
        }
        if let Some(said) = self.answered(once, now) {
            return said;
        }
        let Some(source) = self.present(source) else { return Said::NotFound };
        if name.is_some_and(str::is_empty) || source.end.is_some_and(|end| end <= now) {
            return Said::Invalid;
        }
        if let Err(said) = self.may_give(&source) {
            return said;
        }
        let Some(id) = id else { return Said::Invalid };
        let kept: String = source.name.chars().take(93).collect();
        let name = name.map_or_else(|| format!("{} (copy)", kept.trim_end()), str::to_owned);
        let copy = Key { version: 1, name, active: true, reason: None, secrets: vec![None], ..source };
        self.made(id, copy, "key.duplicate", once, now)
    }

    fn answered(&self, once: Option<&Named>, now: Timestamp) -> Option<Said> {
        let once = once?;
        let first =
            self.answers.get(&(self.asker.actor(), once.about.clone(), once.name)).filter(|first| now < first.until)?;
        Some(if first.body == once.body { Said::Replayed(first.id) } else { Said::Reused })
    }

    fn made(&mut self, id: Locator, key: Key, action: &'static str, once: Option<&Named>, now: Timestamp) -> Said {
        assert!(self.keys.insert(id, key).is_none() && !self.ever.contains(&id), "an id is given once");
        self.ever.push(id);
        self.wrote(action);
        self.due.insert(id);
        if let Some(once) = once {
            let answered = Answered { body: once.body, id, until: now.plus(DAY) };
            self.answers.insert((self.asker.actor(), once.about.clone(), once.name), answered);
        }
        Said::Done(1)
    }

    pub fn change(&mut self, id: Locator, version: u64, change: &Change, now: Timestamp) -> Said {
        let before = match self.begin(&Deed::Change(change), id, now) {
            Ok(before) => before,
            Err(said) => return said,
        };
        if matches!(change, Change::Wrong) {
            return Said::Invalid;
        }
        if before.version != version {
            return Said::Stale;
        }
        let after = before.after(change);
        if after == before {
            return Said::Done(version);
        }
        let action = match (before.active, after.active) {
            (true, false) => "key.deactivate",
            (false, true) => "key.activate",
            _ => "key.edit",
        };
        self.changed(id, after, action)
    }

    pub fn delete(&mut self, id: Locator, version: u64, now: Timestamp) -> Said {
        let before = match self.begin(&Deed::Delete, id, now) {
            Ok(before) => before,
            Err(said) => return said,
        };
        if before.version != version {
            return Said::Stale;
        }
        self.changed(id, Key { deleted_at: Some(now), ..before }, "key.delete")
    }

    pub fn restore(&mut self, id: Locator, now: Timestamp) -> Said {
        match self.begin(&Deed::Restore, id, now) {
            Ok(before) => self.changed(id, Key { deleted_at: None, ..before }, "key.restore"),
            Err(said) => said,
        }
    }

    pub fn rotate(&mut self, id: Locator, version: u64, overlap: u32, now: Timestamp) -> Said {
        let mut key = match self.begin(&Deed::Rotate, id, now) {
            Ok(before) => before,
            Err(said) => return said,
        };
        if overlap > 30 * 86_400 {
            return Said::Invalid;
        }
        if key.version != version {
            return Said::Stale;
        }
        let end = now.plus(i64::from(overlap) * SECOND);
        key.secrets = key.secrets.into_iter().map(|was| Some(was.map_or(end, |was| was.min(end)))).collect();
        if key.secrets.iter().filter(|end| end.is_some_and(|end| end > now)).count() >= 5 {
            return Said::Invalid;
        }
        key.secrets.push(None);
        self.changed(id, key, "key.rotate")
    }

    pub fn end_old_secrets(&mut self, id: Locator, version: u64, now: Timestamp) -> Said {
        let before = match self.begin(&Deed::EndOldSecrets, id, now) {
            Ok(before) => before,
            Err(said) => return said,
        };
        if before.version != version {
            return Said::Stale;
        }
        let mut after = before.clone();
        if let Some((_, old)) = after.secrets.split_last_mut() {
            for end in old {
                *end = Some(end.map_or(now, |end| end.min(now)));
            }
        }
        if after == before { Said::Done(version) } else { self.changed(id, after, "key.end_secret") }
    }

    pub fn change_settings(
        &mut self,
        version: u64,
        suspended: Option<bool>,
        outage: Option<u32>,
        now: Timestamp,
    ) -> Said {
        self.last_action = None;
        if let Err(said) = self.is_heard(now) {
            return said;
        }
        if matches!(self.asker, Asker::Key { .. }) {
            return Said::Lacks("account:write");
        }
        if outage.is_some_and(|seconds| seconds > 3_600) {
            return Said::Invalid;
        }
        let (was, is_suspended, seconds) = self.settings;
        if was != version {
            return Said::Stale;
        }
        let (suspended, outage) = (suspended.unwrap_or(is_suspended), outage.unwrap_or(seconds));
        if (suspended, outage) == (is_suspended, seconds) {
            return Said::Done(version);
        }
        self.settings = (version + 1, suspended, outage);
        self.wrote("workspace.edit");
        self.untold.insert(String::new(), version + 1);
        self.due = self.keys.keys().copied().collect();
        Said::Done(version + 1)
    }

    /// What is removed for good.
    pub fn purge(&mut self, now: Timestamp) -> Vec<Locator> {
        self.last_action = None;
        let mut gone: Vec<(Timestamp, Locator)> = self
            .keys
            .iter()
            .filter_map(|(id, key)| key.deleted_at.map(|deleted| (deleted, *id)))
            .filter(|(deleted, _)| now.since(*deleted) >= 30 * DAY)
            .collect();
        gone.sort_by_key(|(deleted, id)| (*deleted, self.ever.iter().position(|other| other == id)));
        gone.truncate(100);
        for (_, id) in &gone {
            self.keys.remove(id);
            self.due.remove(id);
            self.wrote("key.purge");
        }
        gone.into_iter().map(|(_, id)| id).collect()
    }

    pub fn told(&mut self) {
        self.untold.clear();
    }

    pub fn delivered(&mut self, now: Timestamp) {
        for id in std::mem::take(&mut self.due) {
            self.published.insert(id, now);
        }
    }

    pub fn asked(&mut self, id: Locator, now: Timestamp) {
        let lately = self.published.get(&id).is_some_and(|at| now.since(*at) < 60 * SECOND);
        if self.keys.contains_key(&id) && !lately {
            self.due.insert(id);
        }
    }

    pub fn undelivered(&self) -> usize {
        self.due.len()
    }

    /// Ids and versions of the records that KV must hold once all are delivered.
    pub fn records(&self) -> Vec<(Locator, u64)> {
        self.keys.iter().map(|(id, key)| (*id, key.version)).collect()
    }

    /// The key that a command is about, if the asker may give it.
    fn begin(&mut self, deed: &Deed<'_>, id: Locator, now: Timestamp) -> Result<Key, Said> {
        self.last_action = None;
        self.is_heard(now)?;
        let before = if matches!(deed, Deed::Restore) {
            let lately = |key: &&Key| key.deleted_at.is_some_and(|deleted| now.since(deleted) < 30 * DAY);
            self.keys.get(&id).filter(lately).cloned()
        } else {
            self.present(id)
        };
        let before = before.ok_or(Said::NotFound)?;
        self.may(deed, id, &before)?;
        Ok(before)
    }

    fn present(&self, id: Locator) -> Option<Key> {
        self.keys.get(&id).filter(|key| key.deleted_at.is_none()).cloned()
    }

    fn changed(&mut self, id: Locator, mut after: Key, action: &'static str) -> Said {
        after.version += 1;
        let version = after.version;
        self.keys.insert(id, after);
        self.wrote(action);
        self.untold.insert(id.to_string(), version);
        self.due.insert(id);
        Said::Done(version)
    }

    fn wrote(&mut self, action: &'static str) {
        self.lines += 1;
        self.last_action = Some(action);
    }
}
