//! A plain model of a workspace: its state after each command.

use super::{
    caller::{ModelCaller, ModelCommand},
    edit::Edit,
    key::{ModelKey, ModelSecret},
    model_create::FirstResponse,
};
use ownchat_domain::{
    locator::Locator,
    time::{DAY, HOUR, SECOND, Timestamp},
    verdict::Code,
};
use std::collections::{BTreeMap, BTreeSet};

/// Expected result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Success; the version afterwards.
    Done(u64),
    /// The stored response of an earlier request: this key, as it was then.
    Replayed(Locator),
    NotFound,
    Stale,
    Invalid,
    Reused,
    /// The calling key is refused.
    Refused(Code),
    /// The calling key lacks this scope.
    Lacks(&'static str),
    /// The calling key would grant a scope that it does not hold.
    NotHeld,
    /// The calling key would grant more freedom than it has.
    Beyond,
}

pub struct Model {
    /// Keys that were not purged.
    pub keys: BTreeMap<Locator, ModelKey>,
    /// Every id that was ever issued.
    pub all_ids: Vec<Locator>,
    pub lines: u64,
    /// Caller of this step.
    pub caller: ModelCaller,
    /// Action of the last command's audit line, if it wrote one.
    pub last_action: Option<&'static str>,
    /// True if the last command narrowed access, or an unpublished one before it did.
    pub narrowed: bool,
    /// Version, suspended, outage grace period in seconds.
    pub settings: (u64, bool, u32),
    /// Pending feed entries; the empty name is the workspace.
    pub unpublished: BTreeMap<String, u64>,
    pub(super) due: BTreeSet<Locator>,
    /// Keys that were not changed since they were restored.
    restored: BTreeSet<Locator>,
    /// Time of a record's last delivery.
    pub published: BTreeMap<Locator, Timestamp>,
    pub(super) responses: BTreeMap<(String, String, u64), FirstResponse>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            all_ids: Vec::new(),
            lines: 0,
            caller: ModelCaller::Owner,
            last_action: None,
            narrowed: false,
            settings: (1, false, 0),
            unpublished: BTreeMap::new(),
            due: BTreeSet::new(),
            restored: BTreeSet::new(),
            published: BTreeMap::new(),
            responses: BTreeMap::new(),
        }
    }
}

impl Model {
    pub fn keys_that(&self, are: impl Fn(&ModelKey) -> bool) -> Vec<Locator> {
        self.keys.iter().filter(|(_, key)| are(key)).map(|(id, _)| *id).collect()
    }

    pub fn version(&self, id: Locator) -> u64 {
        self.keys.get(&id).map_or(1, |key| key.version)
    }

    pub fn change(&mut self, id: Locator, version: u64, edit: &Edit, now: Timestamp) -> Expected {
        let before = match self.begin(&ModelCommand::Edit(edit), id, now) {
            Ok(before) => before,
            Err(expected) => return expected,
        };
        let Some(after) = before.after(edit) else { return Expected::Invalid };
        // A retry carries the version from before its own change.
        if before.version != version && !(after == before && before.version == version + 1) {
            if !matches!(edit, Edit::Status(false, _)) {
                return Expected::Stale;
            }
            // A stale version never prevents deactivation; an inactive key stays as it is.
            if !before.active {
                self.narrowed = true;
                return Expected::Done(before.version);
            }
        }
        // A retry gets an effective time.
        self.narrowed = self.is_unpublished(id) || after == before;
        if after == before {
            return Expected::Done(before.version);
        }
        self.narrowed |= before.is_narrowed_by(&after) || (before.active && !after.active);
        let action = match (before.active, after.active) {
            (true, false) => "key.deactivate",
            (false, true) => "key.activate",
            _ => "key.edit",
        };
        self.changed(id, after, action, now)
    }

    pub fn delete(&mut self, id: Locator, version: u64, now: Timestamp) -> Expected {
        if let Some(expected) = self.deleted_before(id, version, now) {
            return expected;
        }
        let before = match self.begin(&ModelCommand::Delete, id, now) {
            Ok(before) => before,
            Err(expected) => return expected,
        };
        self.narrowed = true;
        self.changed(id, ModelKey { deleted_at: Some(now), ..before }, "key.delete", now)
    }

    /// Returns the result if this very command has deleted the key before.
    fn deleted_before(&mut self, id: Locator, version: u64, now: Timestamp) -> Option<Expected> {
        let gone = self.keys.get(&id).filter(|key| key.deleted_at.is_some() && key.version == version + 1).cloned()?;
        self.last_action = None;
        self.narrowed = true;
        let allowed = self.authenticate(now).and_then(|()| self.may(&ModelCommand::Delete, id, &gone));
        Some(allowed.err().unwrap_or(Expected::Done(gone.version)))
    }

    pub fn restore(&mut self, id: Locator, now: Timestamp) -> Expected {
        match self.begin(&ModelCommand::Restore, id, now) {
            Ok(before) => {
                self.narrowed = before.deleted_at.is_none() || self.is_unpublished(id);
                if before.deleted_at.is_none() {
                    return Expected::Done(before.version);
                }
                self.changed(id, ModelKey { deleted_at: None, ..before }, "key.restore", now)
            }
            Err(expected) => expected,
        }
    }

    pub fn rotate(&mut self, id: Locator, version: u64, overlap: u32, now: Timestamp) -> Expected {
        let mut key = match self.begin(&ModelCommand::Rotate, id, now) {
            Ok(before) => before,
            Err(expected) => return expected,
        };
        if overlap > 30 * 86_400 {
            return Expected::Invalid;
        }
        if key.version != version {
            return Expected::Stale;
        }
        let newest = key.newest();
        let end = now.plus(i64::from(overlap) * SECOND);
        for secret in &mut key.secrets {
            secret.ends_at = Some(secret.ends_at.map_or(end, |was| was.min(end)));
        }
        let works = |secret: &&ModelSecret| secret.ends_at.is_some_and(|end| end > now);
        if key.secrets.iter().filter(works).count() >= 5 {
            return Expected::Invalid;
        }
        // Ten ended secrets stay listed.
        let mut ended: Vec<ModelSecret> = key.secrets.iter().filter(|secret| !works(secret)).cloned().collect();
        ended.sort_by_key(|secret| (secret.ends_at, secret.number));
        for dropped in ended.iter().rev().skip(10) {
            key.secrets.retain(|secret| secret != dropped);
        }
        key.secrets.push(ModelSecret { number: newest + 1, created_at: now, ends_at: None });
        self.narrowed = true;
        self.changed(id, key, "key.rotate", now)
    }

    pub fn end_old_secrets(&mut self, id: Locator, now: Timestamp) -> Expected {
        let before = match self.begin(&ModelCommand::EndOldSecrets, id, now) {
            Ok(before) => before,
            Err(expected) => return expected,
        };
        let mut after = before.clone();
        if let Some((_, old)) = after.secrets.split_last_mut() {
            for secret in old {
                secret.ends_at = Some(secret.ends_at.map_or(now, |end| end.min(now)));
            }
        }
        self.narrowed = true;
        if after == before { Expected::Done(before.version) } else { self.changed(id, after, "key.end_secret", now) }
    }

    pub fn change_settings(
        &mut self,
        version: u64,
        suspended: Option<bool>,
        outage: Option<u32>,
        now: Timestamp,
    ) -> Expected {
        self.last_action = None;
        if let Err(expected) = self.authenticate(now) {
            return expected;
        }
        if matches!(self.caller, ModelCaller::Key { .. }) {
            return Expected::Lacks("account:write");
        }
        if outage.is_some_and(|seconds| seconds > 3_600) {
            return Expected::Invalid;
        }
        let (was, is_suspended, seconds) = self.settings;
        let only_suspends = suspended == Some(true) && outage.is_none();
        let (suspended, outage) = (suspended.unwrap_or(is_suspended), outage.unwrap_or(seconds));
        let narrowed = (suspended && !is_suspended) || outage < seconds;
        let same = (suspended, outage) == (is_suspended, seconds);
        if was != version && !(same && was == version + 1) && !only_suspends {
            return Expected::Stale;
        }
        self.narrowed = narrowed || same || self.unpublished.contains_key("");
        if same {
            return Expected::Done(was);
        }
        self.settings = (was + 1, suspended, outage);
        self.log_line("workspace.edit");
        self.unpublished.insert(String::new(), was + 1);
        self.due = self.keys.keys().copied().collect();
        Expected::Done(was + 1)
    }

    /// Purges keys, and returns them.
    pub fn purge(&mut self, now: Timestamp) -> Vec<Locator> {
        self.last_action = None;
        let mut gone: Vec<(Timestamp, Locator)> = self
            .keys
            .iter()
            .filter_map(|(id, key)| key.deleted_at.map(|deleted| (deleted, *id)))
            .filter(|(deleted, _)| now.since(*deleted) >= 30 * DAY)
            .collect();
        gone.sort_by_key(|(deleted, id)| (*deleted, self.all_ids.iter().position(|other| other == id)));
        gone.truncate(100);
        for (_, id) in &gone {
            self.keys.remove(id);
            self.due.remove(id);
            self.log_line("key.purge");
        }
        gone.into_iter().map(|(_, id)| id).collect()
    }

    pub fn published(&mut self) {
        self.unpublished.clear();
    }

    pub fn delivered(&mut self, now: Timestamp) {
        for id in std::mem::take(&mut self.due) {
            self.published.insert(id, now);
        }
    }

    pub fn requested(&mut self, id: Locator, now: Timestamp) {
        let lately = self.published.get(&id).is_some_and(|at| now.since(*at) < HOUR);
        if self.keys.contains_key(&id) && !lately {
            self.due.insert(id);
        }
    }

    pub fn undelivered(&self) -> usize {
        self.due.len()
    }

    fn is_unpublished(&self, id: Locator) -> bool {
        self.unpublished.contains_key(&id.to_string())
    }

    /// Returns the key of a command, if the caller may give it.
    fn begin(&mut self, command: &ModelCommand<'_>, id: Locator, now: Timestamp) -> Result<ModelKey, Expected> {
        self.last_action = None;
        self.authenticate(now)?;
        let before = if matches!(command, ModelCommand::Restore) {
            let is_restored = self.restored.contains(&id);
            let lately = |key: &&ModelKey| key.deleted_at.map_or(is_restored, |deleted| now.since(deleted) < 30 * DAY);
            self.keys.get(&id).filter(lately).cloned()
        } else {
            self.present(id)
        };
        let before = before.ok_or(Expected::NotFound)?;
        self.may(command, id, &before)?;
        Ok(before)
    }

    pub(super) fn present(&self, id: Locator) -> Option<ModelKey> {
        self.keys.get(&id).filter(|key| key.deleted_at.is_none()).cloned()
    }

    fn changed(&mut self, id: Locator, mut after: ModelKey, action: &'static str, now: Timestamp) -> Expected {
        after.version += 1;
        after.updated_at = now;
        let version = after.version;
        self.keys.insert(id, after);
        self.restored.remove(&id);
        if action == "key.restore" {
            self.restored.insert(id);
        }
        self.log_line(action);
        self.unpublished.insert(id.to_string(), version);
        self.due.insert(id);
        Expected::Done(version)
    }

    pub(super) fn log_line(&mut self, action: &'static str) {
        self.lines += 1;
        self.last_action = Some(action);
    }
}
