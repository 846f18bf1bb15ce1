//! Somebody who has the old master secret and may write into KV: as long as the secret is whole they can give a key back that
//! was taken away, and not any more once it is retired.

use super::WORKSPACE;
use ownchat_domain::{
    feed::Subject,
    keyring::Keyring,
    locator::Locator,
    record::{Record, kv_name},
    time::MINUTE,
    vault::record_path,
};
use ownchat_runtime::MASTER_KEYS;
use ownchat_simulation::{Question, World};

pub struct Thief {
    key: Locator,
    question: Question,
    secret: Keyring,
    /// As it was in KV before the key was taken away.
    before: Vec<u8>,
}

impl Thief {
    /// One who is after this key.
    pub fn of(world: &World, (key, question): (Locator, Question)) -> Self {
        let before = world.kv.history(&kv_name(key)).swap_remove(0);
        Self { key, question, secret: Keyring::parse(MASTER_KEYS).unwrap(), before }
    }

    /// A record that says that the key is good, and is newer than what the vault has.
    fn forge(&self, world: &World) -> Vec<u8> {
        let before = Record::open(&self.before, self.key, &self.secret).unwrap();
        assert!(before.active);
        let record = Record { sealed_at: world.clock.now(), version: before.version + 1_000, ..before };
        record.seal(&self.secret).unwrap()
    }

    /// Puts a record into KV and calls until an edge has read it there. Returns what was told then, and whether the registry was
    /// asked.
    fn put(&self, world: &World, record: Vec<u8>) -> (String, bool) {
        let (name, path) = (kv_name(self.key), record_path(WORKSPACE, self.key));
        world.kv.plant(&name, Some(record));
        world.wire.make_forget(vec![Subject::Key(self.key)]);
        let (mut caller, mut found) = (world.caller(0), None);
        world.clock.until(MINUTE, || {
            let before = (world.kv.reads_of(&name), world.wire.asked_at(&path));
            let code = caller.settled(&self.question, world.clock);
            let was_read = world.kv.reads_of(&name) > before.0;
            found = was_read.then(|| (code, world.wire.asked_at(&path) > before.1));
            was_read
        });
        world.wire.make_forget(Vec::new());
        world.kv.clear();
        found.expect("the record was never read")
    }

    pub fn expect_to_succeed(&self, world: &World) {
        let (code, _) = self.put(world, self.forge(world));
        assert_eq!(code, "VALID", "the whole secret makes no record that decides: nothing is shown");
    }

    /// Neither such a record decides nor the one that was there once.
    pub fn expect_to_fail(&self, world: &World) {
        for record in [self.forge(world), self.before.clone()] {
            let told = self.put(world, record);
            assert_eq!(told, ("INACTIVE".into(), true), "a record under a secret that was retired decided");
        }
    }
}
