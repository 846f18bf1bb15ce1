//! Steps that create or duplicate a key. Half of them have an idempotency key.

use super::{
    Walk,
    caller::{SCOPES, secret_of},
    compare::{Actual, shown},
    edit::Edit,
    key::ModelKey,
    model::Expected,
    model_create::NamedRequest,
};
use crate::{
    registry::{
        duplicate, keys,
        testing::{WORKSPACE, keyring},
    },
    rpc::CommandResult,
};
use ownchat_domain::{
    idempotency::{BodyHash, Idempotency},
    key::{KeyPatch, NewKey},
    vault::registry::{CreateKey, DuplicateKey, Issued},
};
use serde_json::{Value, json};

impl Walk {
    pub(super) fn create(&mut self) {
        let name = self.rng.pick(&["Shop", "Store", "Market", ""]);
        let (scopes, environment) = (self.rng.some(&SCOPES), self.rng.pick(&["live", "live", "live", "test"]));
        let facts: Vec<Edit> = (0..self.rng.below(4)).map(|_| self.any_fact()).collect();
        let named = self.named("", 30);
        let mut body = json!({"name": name, "scopes": scopes, "environment": environment});
        for fact in &facts {
            merge(&mut body, fact.json());
        }
        let key: NewKey = serde_json::from_value(body).unwrap();
        let made = self.as_caller(|origin| {
            let command = CreateKey { origin, key, secret: secret_of(1), once: named.as_ref().map(once) };
            keys::create(&self.database, &keyring(), WORKSPACE, &command, self.now)
        });
        let id = made.as_ref().ok().map(|issued| issued.key.id);
        let blank = self.model.blank(name, &scopes, environment, self.now);
        let expected = self.model.create(with(blank, &facts), named.as_ref(), id, self.now);
        self.compare_made("create", expected, named.as_ref(), made);
    }

    pub(super) fn duplicate(&mut self) {
        let (source, _) = self.any_key();
        let name = self.rng.pick(&[None, None, Some("Copy"), Some("")]);
        let named = self.named(&source.to_string(), 3);
        let made = self.as_caller(|origin| {
            let differences = KeyPatch { name: name.map(str::to_owned), ..KeyPatch::default() };
            let (secret, once) = (secret_of(1), named.as_ref().map(once));
            let command = DuplicateKey { origin, id: source, differences, environment: None, secret, once };
            duplicate::duplicate(&self.database, &keyring(), WORKSPACE, &command, self.now)
        });
        let id = made.as_ref().ok().map(|issued| issued.key.id);
        let expected = self.model.duplicate(source, name, named.as_ref(), id, self.now);
        self.compare_made("duplicate", expected, named.as_ref(), made);
        self.check_key(Some(source));
    }

    /// Picks an idempotency key, one of so many, and one of two bodies, for half of the requests.
    fn named(&mut self, about: &str, names: u64) -> Option<NamedRequest> {
        let [is_named, name, body] = [2, names, 2].map(|sides| self.rng.below(sides));
        (is_named == 1).then(|| NamedRequest { about: about.into(), name, body })
    }

    /// Compares the result of a creation, and its effects.
    fn compare_made(
        &mut self,
        what: &str,
        expected: Expected,
        named: Option<&NamedRequest>,
        made: CommandResult<Issued>,
    ) {
        match made {
            Ok(Issued { key, replayed: true }) => {
                assert_eq!(Expected::Replayed(key.id), expected, "{what}");
                let first = named.and_then(|named| self.model.first_response(named));
                assert_eq!(Some(&shown(&key)), first, "{what}: the first response");
                self.check_key(Some(key.id));
            }
            Ok(Issued { key, replayed: false }) => {
                let (id, version) = (key.id, key.version);
                self.compare(what, expected, Ok(Actual { version, narrowed: None, key: Some(key) }), Some(id));
            }
            Err(error) => self.compare(what, expected, Err(error), None),
        }
    }
}

/// Merges JSON into a body; later values win.
fn merge(body: &mut Value, more: Value) {
    match (body, more) {
        (Value::Object(body), Value::Object(more)) => {
            for (name, value) in more {
                merge(body.entry(name).or_insert(Value::Null), value);
            }
        }
        (body, more) => *body = more,
    }
}

/// Applies all edits in order. Returns `None` if the result is invalid.
fn with(blank: ModelKey, facts: &[Edit]) -> Option<ModelKey> {
    facts.iter().try_fold(blank, |key, fact| key.with(fact)).filter(ModelKey::is_in_order)
}

fn once(named: &NamedRequest) -> Idempotency {
    Idempotency { key: format!("name-{}", named.name).parse().unwrap(), body: BodyHash::of(&named.body.to_be_bytes()) }
}
