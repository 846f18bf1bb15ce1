//! An attacker with the old master secret and write access to KV. The attacker can restore a
//! revoked key while the secret is whole, and no longer once it is retired.

use super::WORKSPACE;
use ownchat_domain::{
    feed::Affected,
    keyring::Keyring,
    locator::Locator,
    record::{Record, kv_name},
    time::MINUTE,
    vault::record_path,
};
use ownchat_runtime::MASTER_KEYS;
use ownchat_simulation::{VerifyRequest, World};

pub struct Attacker {
    key: Locator,
    request: VerifyRequest,
    secret: Keyring,
    /// The record in KV from before the revocation.
    before: Vec<u8>,
}

impl Attacker {
    /// Creates an attacker on this key.
    pub fn of(world: &World, (key, request): (Locator, VerifyRequest)) -> Self {
        let before = world.kv.history(&kv_name(key)).swap_remove(0);
        Self { key, request, secret: Keyring::parse(MASTER_KEYS).unwrap(), before }
    }

    /// Forges a record of an active key, newer than that of the vault.
    fn forge(&self, world: &World) -> Vec<u8> {
        let before = Record::open(&self.before, self.key, &self.secret).unwrap();
        assert!(before.active);
        let record = Record { sealed_at: world.clock.now(), version: before.version + 1_000, ..before };
        record.seal(&self.secret).unwrap()
    }

    /// Puts a record into KV, and calls until an edge has read it. Returns the code, and true if
    /// the edge asked the registry.
    fn put(&self, world: &World, record: Vec<u8>) -> (String, bool) {
        let (name, path) = (kv_name(self.key), record_path(WORKSPACE, self.key));
        world.kv.plant(&name, Some(record));
        world.wire.evict(vec![Affected::Key(self.key)]);
        let (mut caller, mut found) = (world.caller(0), None);
        world.clock.until(MINUTE, || {
            let before = (world.kv.reads_of(&name), world.wire.asked_at(&path));
            let code = caller.settled(&self.request, world.clock);
            let was_read = world.kv.reads_of(&name) > before.0;
            found = was_read.then(|| (code, world.wire.asked_at(&path) > before.1));
            was_read
        });
        world.wire.evict(Vec::new());
        world.kv.clear();
        found.expect("the record was never read")
    }

    pub fn expect_to_succeed(&self, world: &World) {
        let (code, _) = self.put(world, self.forge(world));
        assert_eq!(code, "VALID", "the whole secret makes no record that decides: nothing is shown");
    }

    /// Checks that neither a forged record nor the earlier one decides.
    pub fn expect_to_fail(&self, world: &World) {
        for record in [self.forge(world), self.before.clone()] {
            let told = self.put(world, record);
            assert_eq!(told, ("INACTIVE".into(), true), "a record under a secret that was retired decided");
        }
    }
}
