//! A plain model of the creation of keys.

use super::{
    caller::ModelCaller,
    key::{ModelKey, ModelSecret},
    model::{Expected, Model},
};
use ownchat_domain::{
    locator::Locator,
    time::{DAY, Timestamp},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A request with an idempotency key: its subject, its key, and its body.
#[derive(Clone)]
pub struct NamedRequest {
    pub about: String,
    pub name: u64,
    pub body: u64,
}

/// The first response to such a request, and its expiry.
pub struct FirstResponse {
    body: u64,
    id: Locator,
    shown: Value,
    until: Timestamp,
}

impl Model {
    /// Returns a new key before any edit.
    pub fn blank(&self, name: &str, scopes: &[&str], environment: &'static str, now: Timestamp) -> ModelKey {
        ModelKey {
            version: 1,
            name: name.into(),
            description: String::new(),
            integration: String::new(),
            environment,
            active: true,
            reason: None,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            begin: None,
            end: None,
            allow: Vec::new(),
            deny: Vec::new(),
            channels: Vec::new(),
            rate: None,
            quota: None,
            notes: BTreeMap::new(),
            created_at: now,
            created_by: self.maker(),
            updated_at: now,
            deleted_at: None,
            secrets: vec![ModelSecret { number: 1, created_at: now, ends_at: None }],
        }
    }

    /// Creates a key. `key` is `None` if it is invalid; `id` is the created key, if there is one.
    pub fn create(
        &mut self,
        key: Option<ModelKey>,
        once: Option<&NamedRequest>,
        id: Option<Locator>,
        now: Timestamp,
    ) -> Expected {
        self.last_action = None;
        if let Err(expected) = self.may_create(now) {
            return expected;
        }
        if let Some(expected) = self.replayed(once, now) {
            return expected;
        }
        let Some(key) = key.filter(|key| !key.name.is_empty()) else { return Expected::Invalid };
        if let Err(expected) = self.may_give(&key) {
            return expected;
        }
        let Some(id) = id else { return Expected::Invalid };
        self.made(id, key, "key.create", once, now)
    }

    /// Duplicates a key, under a new name if one is given. `id` is the created key, if there is
    /// one.
    pub fn duplicate(
        &mut self,
        source: Locator,
        name: Option<&str>,
        once: Option<&NamedRequest>,
        id: Option<Locator>,
        now: Timestamp,
    ) -> Expected {
        self.last_action = None;
        if let Err(expected) = self.may_create(now) {
            return expected;
        }
        if let Some(expected) = self.replayed(once, now) {
            return expected;
        }
        let Some(source) = self.present(source) else { return Expected::NotFound };
        if name.is_some_and(str::is_empty) || source.end.is_some_and(|end| end <= now) {
            return Expected::Invalid;
        }
        if let Err(expected) = self.may_give(&source) {
            return expected;
        }
        let Some(id) = id else { return Expected::Invalid };
        let name = name.map_or_else(|| self.copy_name(&source.name), str::to_owned);
        let ModelKey { version, active, reason, created_at, created_by, updated_at, secrets, .. } =
            self.blank("", &[], source.environment, now);
        // A start in the past is dropped.
        let begin = source.begin.filter(|begin| *begin > now);
        let duplicate =
            ModelKey { version, name, active, reason, begin, created_at, created_by, updated_at, secrets, ..source };
        self.made(id, duplicate, "key.duplicate", once, now)
    }

    /// Returns the first free name of "(copy)", "(copy 2)" and so on. The walk's names are short.
    fn copy_name(&self, name: &str) -> String {
        let original = name.split(" (copy").next().unwrap_or_default();
        let names = (1..).map(|number| match number {
            1 => format!("{original} (copy)"),
            _ => format!("{original} (copy {number})"),
        });
        let is_free = |name: &String| !self.keys.values().any(|key| key.deleted_at.is_none() && key.name == *name);
        names.into_iter().find(is_free).unwrap_or_default()
    }

    fn replayed(&self, once: Option<&NamedRequest>, now: Timestamp) -> Option<Expected> {
        let once = once?;
        let first = self
            .responses
            .get(&(self.caller.actor(), once.about.clone(), once.name))
            .filter(|first| now < first.until)?;
        Some(if first.body == once.body { Expected::Replayed(first.id) } else { Expected::Reused })
    }

    /// Returns the key in the first response.
    pub fn first_response(&self, once: &NamedRequest) -> Option<&Value> {
        let first = self.responses.get(&(self.caller.actor(), once.about.clone(), once.name));
        first.map(|first| &first.shown)
    }

    /// Returns the `created_by` of the caller's keys.
    fn maker(&self) -> String {
        match self.caller {
            ModelCaller::Owner => "Ada".into(),
            ModelCaller::Key { id, .. } => {
                format!("{} (key {id})", self.keys.get(&id).map_or("", |key| key.name.as_str()))
            }
        }
    }

    fn made(
        &mut self,
        id: Locator,
        key: ModelKey,
        action: &'static str,
        once: Option<&NamedRequest>,
        now: Timestamp,
    ) -> Expected {
        let shown = key.shown(id, now);
        assert!(self.keys.insert(id, key).is_none() && !self.all_ids.contains(&id), "an id is issued once");
        self.all_ids.push(id);
        self.log_line(action);
        self.due.insert(id);
        if let Some(once) = once {
            let replayed = FirstResponse { body: once.body, id, shown, until: now.plus(DAY) };
            self.responses.insert((self.caller.actor(), once.about.clone(), once.name), replayed);
        }
        Expected::Done(1)
    }
}
