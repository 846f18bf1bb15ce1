//! What a workspace should be after a key was made, in the plainest words.

use super::{
    asking::Asker,
    key::{Key, Secret},
    model::{Model, Said},
};
use ownchat_domain::{
    locator::Locator,
    time::{DAY, Timestamp},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A request that is done once: what it is about, its name, and its body.
#[derive(Clone)]
pub struct Named {
    pub about: String,
    pub name: u64,
    pub body: u64,
}

/// What a request that is done once was answered at first, and how long that is remembered.
pub struct Answered {
    body: u64,
    id: Locator,
    shown: Value,
    until: Timestamp,
}

impl Model {
    /// What a new key is before anything else is said of it.
    pub fn blank(&self, name: &str, scopes: &[&str], environment: &'static str, now: Timestamp) -> Key {
        Key {
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
            secrets: vec![Secret { number: 1, created_at: now, ends_at: None }],
        }
    }

    /// `key` is none if there can be none like it; `id` is the key that was made, if one was.
    pub fn create(&mut self, key: Option<Key>, once: Option<&Named>, id: Option<Locator>, now: Timestamp) -> Said {
        self.last_action = None;
        if let Err(said) = self.may_make(now) {
            return said;
        }
        if let Some(said) = self.answered(once, now) {
            return said;
        }
        let Some(key) = key.filter(|key| !key.name.is_empty()) else { return Said::Invalid };
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
        let name = name.map_or_else(|| self.copy_name(&source.name), str::to_owned);
        let Key { version, active, reason, created_at, created_by, updated_at, secrets, .. } =
            self.blank("", &[], source.environment, now);
        // A beginning that has passed says nothing.
        let begin = source.begin.filter(|begin| *begin > now);
        let copy = Key { version, name, active, reason, begin, created_at, created_by, updated_at, secrets, ..source };
        self.made(id, copy, "key.duplicate", once, now)
    }

    /// The first of "(copy)", "(copy 2)" and so on that no key has; the walk's names are short.
    fn copy_name(&self, name: &str) -> String {
        let original = name.split(" (copy").next().unwrap_or_default();
        let names = (1..).map(|number| match number {
            1 => format!("{original} (copy)"),
            _ => format!("{original} (copy {number})"),
        });
        let is_free = |name: &String| !self.keys.values().any(|key| key.deleted_at.is_none() && key.name == *name);
        names.into_iter().find(is_free).unwrap_or_default()
    }

    fn answered(&self, once: Option<&Named>, now: Timestamp) -> Option<Said> {
        let once = once?;
        let first =
            self.answers.get(&(self.asker.actor(), once.about.clone(), once.name)).filter(|first| now < first.until)?;
        Some(if first.body == once.body { Said::Replayed(first.id) } else { Said::Reused })
    }

    /// The key that a request of this name was answered, as it was then.
    pub fn first_answer(&self, once: &Named) -> Option<&Value> {
        let first = self.answers.get(&(self.asker.actor(), once.about.clone(), once.name));
        first.map(|first| &first.shown)
    }

    /// Name of who makes a key.
    fn maker(&self) -> String {
        match self.asker {
            Asker::Owner => "Ada".into(),
            Asker::Key { id, .. } => {
                format!("{} (key {id})", self.keys.get(&id).map_or("", |key| key.name.as_str()))
            }
        }
    }

    fn made(&mut self, id: Locator, key: Key, action: &'static str, once: Option<&Named>, now: Timestamp) -> Said {
        let shown = key.shown(id, now);
        assert!(self.keys.insert(id, key).is_none() && !self.ever.contains(&id), "an id is given once");
        self.ever.push(id);
        self.wrote(action);
        self.due.insert(id);
        if let Some(once) = once {
            let answered = Answered { body: once.body, id, shown, until: now.plus(DAY) };
            self.answers.insert((self.asker.actor(), once.about.clone(), once.name), answered);
        }
        Said::Done(1)
    }
}
