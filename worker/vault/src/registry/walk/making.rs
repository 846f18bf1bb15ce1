//! Steps that make a key: a new one, or one like another. Half of them have a name, so that they are done once.

use super::{
    Walk,
    asking::secret_of,
    model::{Named, Said},
};
use crate::{
    answer::Done,
    registry::{
        duplicate, keys,
        testing::{WORKSPACE, keyring, new_key},
    },
};
use ownchat_domain::{
    idempotency::{BodyHash, Once},
    key::KeyPatch,
    vault::registry::{CreateKey, DuplicateKey, Issued},
};

impl Walk {
    pub(super) fn create(&mut self) {
        let name = self.dice.pick(&["Shop", "Store", "Market", ""]);
        let scopes = self.scopes();
        let named = self.named("", 30);
        let made = self.asking(|origin| {
            let (key, secret, once) = (new_key(name, &scopes), secret_of(1), named.as_ref().map(once));
            let call = CreateKey { origin, key, secret, once };
            keys::create(&self.database, &keyring(), WORKSPACE, &call, self.now)
        });
        let id = made.as_ref().ok().map(|issued| issued.key.id);
        let said = self.model.create(name, &scopes, named.as_ref(), id, self.now);
        self.compare_made("create", said, made);
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
        self.compare_made("duplicate", said, made);
        self.same(Some(source));
    }

    /// Half of the requests have a name, one of so many, and one of two bodies.
    fn named(&mut self, about: &str, names: u64) -> Option<Named> {
        let [is_named, name, body] = [2, names, 2].map(|sides| self.dice.roll(sides));
        (is_named == 1).then(|| Named { about: about.into(), name, body })
    }

    /// The registry said what the model says of a key that was made, and did what the model did.
    fn compare_made(&mut self, what: &str, said: Said, made: Done<Issued>) {
        match made {
            Ok(Issued { key, replayed: true }) => {
                assert_eq!(Said::Replayed(key.id), said, "{what}");
                self.same(Some(key.id));
            }
            Ok(Issued { key, replayed: false }) => self.compare(what, said, Ok(key.version), Some(key.id)),
            Err(refusal) => self.compare(what, said, Err(refusal), None),
        }
    }
}

fn once(named: &Named) -> Once {
    Once { key: format!("name-{}", named.name).parse().unwrap(), body: BodyHash::of(&named.body.to_be_bytes()) }
}
