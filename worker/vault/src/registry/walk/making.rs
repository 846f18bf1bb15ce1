//! Steps that make a key: a new one, or one like another. Half of them have a name, so that they are done once.

use super::{
    Walk,
    asking::{SCOPES, secret_of},
    change::Change,
    comparing::{Answer, shown},
    key::Key,
    made::Named,
    model::Said,
};
use crate::{
    registry::{
        duplicate, keys,
        testing::{WORKSPACE, keyring},
    },
    rpc::CommandResult,
};
use ownchat_domain::{
    idempotency::{BodyHash, Once},
    key::{KeyPatch, NewKey},
    vault::registry::{CreateKey, DuplicateKey, Issued},
};
use serde_json::{Value, json};

impl Walk {
    pub(super) fn create(&mut self) {
        let name = self.dice.pick(&["Shop", "Store", "Market", ""]);
        let (scopes, environment) = (self.dice.some(&SCOPES), self.dice.pick(&["live", "live", "live", "test"]));
        let facts: Vec<Change> = (0..self.dice.roll(4)).map(|_| self.fact()).collect();
        let named = self.named("", 30);
        let mut body = json!({"name": name, "scopes": scopes, "environment": environment});
        for fact in &facts {
            merge(&mut body, fact.json());
        }
        let key: NewKey = serde_json::from_value(body).unwrap();
        let made = self.asking(|origin| {
            let call = CreateKey { origin, key, secret: secret_of(1), once: named.as_ref().map(once) };
            keys::create(&self.database, &keyring(), WORKSPACE, &call, self.now)
        });
        let id = made.as_ref().ok().map(|issued| issued.key.id);
        let blank = self.model.blank(name, &scopes, environment, self.now);
        let said = self.model.create(with(blank, &facts), named.as_ref(), id, self.now);
        self.compare_made("create", said, named.as_ref(), made);
    }

    pub(super) fn duplicate(&mut self) {
        let (source, _) = self.any();
        let name = self.dice.pick(&[None, None, Some("Copy"), Some("")]);
        let named = self.named(&source.to_string(), 3);
        let made = self.asking(|origin| {
            let differences = KeyPatch { name: name.map(str::to_owned), ..KeyPatch::default() };
            let (secret, once) = (secret_of(1), named.as_ref().map(once));
            let call = DuplicateKey { origin, id: source, differences, environment: None, secret, once };
            duplicate::duplicate(&self.database, &keyring(), WORKSPACE, &call, self.now)
        });
        let id = made.as_ref().ok().map(|issued| issued.key.id);
        let said = self.model.duplicate(source, name, named.as_ref(), id, self.now);
        self.compare_made("duplicate", said, named.as_ref(), made);
        self.same(Some(source));
    }

    /// Half of the requests have a name, one of so many, and one of two bodies.
    fn named(&mut self, about: &str, names: u64) -> Option<Named> {
        let [is_named, name, body] = [2, names, 2].map(|sides| self.dice.roll(sides));
        (is_named == 1).then(|| Named { about: about.into(), name, body })
    }

    /// The registry said what the model says of a key that was made, and did what the model did.
    fn compare_made(&mut self, what: &str, said: Said, named: Option<&Named>, made: CommandResult<Issued>) {
        match made {
            Ok(Issued { key, replayed: true }) => {
                assert_eq!(Said::Replayed(key.id), said, "{what}");
                let first = named.and_then(|named| self.model.first_answer(named));
                assert_eq!(Some(&shown(&key)), first, "{what}: as it was answered at first");
                self.same(Some(key.id));
            }
            Ok(Issued { key, replayed: false }) => {
                let (id, version) = (key.id, key.version);
                self.compare(what, said, Ok(Answer { version, narrowed: None, key: Some(key) }), Some(id));
            }
            Err(refusal) => self.compare(what, said, Err(refusal), None),
        }
    }
}

/// Puts what is said of a key into what is said of it already. All that is said again is said anew.
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

/// The key of which all of this is said, one after the other, if there can be one like it in the end.
fn with(blank: Key, facts: &[Change]) -> Option<Key> {
    facts.iter().try_fold(blank, |key, fact| key.with(fact)).filter(Key::is_in_order)
}

fn once(named: &Named) -> Once {
    Once { key: format!("name-{}", named.name).parse().unwrap(), body: BodyHash::of(&named.body.to_be_bytes()) }
}
