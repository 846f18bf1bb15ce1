//! Holders of keys during a roll of the master secret, and the expected codes of their calls.

use crate::master_secrets::{WORKSPACE, both};
use ownchat_domain::{
    digest::SecretHash,
    environment::Environment,
    key::Key,
    keyring::Keyring,
    record::kv_name,
    time::MINUTE,
    vault::registry::{ChangeKey, DeleteKey, RotateKey},
};
use ownchat_runtime::{Admin, Made, secret, token};
use ownchat_simulation::{VerifyRequest, World};
use serde_json::Value;

/// A key, and a request with each of its good secrets.
pub struct Holder {
    pub made: Made,
    pub code: &'static str,
    calls: Vec<VerifyRequest>,
}

impl Holder {
    pub fn make(admin: &mut Admin, name: &str) -> Self {
        let made = admin.make(name, &["contacts:read"]);
        Self { calls: vec![VerifyRequest::of(&made.token)], made, code: "VALID" }
    }

    /// The request with the newest secret.
    pub fn request(&self) -> &VerifyRequest {
        self.calls.last().unwrap()
    }

    fn name(&self) -> &str {
        &self.made.key.name
    }

    /// Rotates the key. Without an overlap the requests with older secrets end.
    pub fn rotate(&mut self, admin: &mut Admin, overlap_seconds: u32) {
        let secret = secret();
        let (id, version) = (self.made.id(), self.made.key.version);
        let (origin, hash) = (admin.origin(), SecretHash::of(&secret));
        let call = RotateKey { origin, id, version, overlap_seconds, end_earlier: true, secret: hash, once: None };
        let key: Key = admin.ask(&call).unwrap().unwrap().key;
        self.made = Made { token: token(&key, secret), key };
        if overlap_seconds == 0 {
            self.calls.clear();
        }
        self.calls.push(VerifyRequest::of(&self.made.token));
    }

    pub fn change(&mut self, admin: &mut Admin, patch: Value) {
        let patch = serde_json::from_value(patch).unwrap();
        let (id, version) = (self.made.id(), self.made.key.version);
        self.made.key = admin.ask(&ChangeKey { origin: admin.origin(), id, version, patch }).unwrap().unwrap().key;
    }

    pub fn delete(self, admin: &mut Admin) {
        let (id, version) = (self.made.id(), self.made.key.version);
        admin.ask(&DeleteKey { origin: admin.origin(), id, version }).unwrap().unwrap();
    }

    /// Returns true if its id is tagged with this master secret.
    fn is_tagged_with(&self, master: u16) -> bool {
        let keyring = Keyring::parse(&both()).unwrap();
        self.made.id().open_with_issuer(&keyring, Environment::Live).unwrap().1 == master
    }
}

/// All holders.
#[derive(Default)]
pub struct Holders {
    all: Vec<Holder>,
    calls: usize,
}

impl Holders {
    pub fn add(&mut self, holder: Holder) {
        self.all.push(holder);
    }

    /// Makes a key, and checks that it passes everywhere at its first call.
    pub fn add_new(&mut self, world: &World, name: &str) {
        let holder = Holder::make(&mut Admin::of(world.vault(), WORKSPACE), name);
        for mut caller in world.callers() {
            assert_eq!(caller.code(holder.request()), "VALID", "{name}, at the first call\n{}", world.logs());
        }
        self.add(holder);
    }

    /// The holder of the key of this name.
    pub fn of(&mut self, name: &str) -> &mut Holder {
        self.all.iter_mut().find(|holder| holder.name() == name).unwrap()
    }

    pub fn all(&self) -> &[Holder] {
        &self.all
    }

    /// Holders of keys whose ids are tagged with this master secret.
    pub fn tagged_with(&mut self, master: u16) -> impl Iterator<Item = &mut Holder> {
        self.all.iter_mut().filter(move |holder| holder.is_tagged_with(master))
    }

    /// Removes these holders, and returns them.
    pub fn take_tagged_with(&mut self, master: u16) -> Vec<Holder> {
        let (taken, left) = self.all.drain(..).partition(|holder: &Holder| holder.is_tagged_with(master));
        self.all = left;
        taken
    }

    /// Number of calls with the expected code.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Checks that each request gets its expected code at each edge.
    pub fn expect_all(&mut self, world: &World, when: &str) {
        for (location, mut caller) in world.callers().into_iter().enumerate() {
            for holder in &self.all {
                for call in &holder.calls {
                    let code = caller.settled(call, world.clock);
                    assert_eq!(code, holder.code, "{when}: {}, at edge {location}\n{}", holder.name(), world.logs());
                    self.calls += 1;
                }
            }
        }
    }

    /// Waits until KV has a record of each key.
    pub fn wait_for_records(&self, world: &World) {
        let is_there = |holder: &Holder| world.kv.newest(&kv_name(holder.made.id())).is_some();
        let there = world.clock.until(5 * MINUTE, || self.all.iter().all(is_there));
        assert!(there.is_some(), "keys did not reach KV\n{}", world.logs());
    }
}
