//! Servers of the benchmarks, each in its own process, before one vault and one KV.

use ownchat_domain::{
    keyring::Keyring,
    record::{Record, kv_name},
    scope::Scope,
    time::SECOND,
};
use ownchat_runtime::{
    Admin, BindingTarget, Folder, MASTER_KEYS, Made, Module, Process, SERVICE_TOKENS, Worker, edge, root, vault,
};
use ownchat_simulation::{Clock, Kv, Latency, Net, Wire};
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
};

/// Locations of KV.
const EDGE: usize = 0;
const VAULT: usize = 1;
const PEER: usize = 2;

/// The workspace of all keys.
pub const WORKSPACE: u32 = 7;

/// Longest time until the vault has written a record into KV, in milliseconds.
const DELIVERY: i64 = 30 * SECOND;

/// Vault, KV, and the network between them.
#[derive(Debug)]
pub struct Testbed {
    /// The KV namespace.
    pub kv: Kv,
    /// The network before the vault.
    pub wire: Wire,
    /// Master secrets of all servers.
    pub keyring: Keyring,
    /// Real time.
    pub clock: Clock,
    admin: Admin,
    // Processes are dropped before the folder that they write to.
    _vault: Process,
    folder: Folder,
    net: Net,
    count: AtomicU32,
}

impl Testbed {
    /// Starts the vault with one workspace. Neither KV nor the network adds latency.
    pub fn start() -> Self {
        let (clock, net, folder) = (Clock::start(1.0), Net::new(), Folder::make("bench"));
        let kv = Kv::start(&net, clock, PEER + 1, 0, Latency::NONE, 1);
        let wire = Wire::new(clock, Latency::NONE, 1);
        let process = Process::start(&folder.path().join("vault"), &[vault(BindingTarget::At(kv.address(VAULT)))]);
        wire.route_to(Some(process.address("vault")));
        let admin = Admin::found(process.address("vault"), WORKSPACE);
        let keyring = Keyring::parse(MASTER_KEYS).unwrap();
        Self { kv, wire, keyring, clock, admin, _vault: process, folder, net, count: AtomicU32::new(0) }
    }

    /// Makes a key, and waits until KV has its record.
    pub fn key(&mut self, scopes: &[&str]) -> Made {
        let made = self.admin.make("Shop", scopes);
        let there = || self.kv.newest(&kv_name(made.id())).is_some();
        assert!(self.clock.until(DELIVERY, there).is_some(), "the vault has not written the record into KV");
        self.kv.plant(&peers_name(&made), Some(self.for_peer(&self.record(&made))));
        made
    }

    /// Makes a key with a record in KV that differs from the vault's.
    pub fn altered_key(&mut self, scopes: &[&str], alter: impl FnOnce(&mut Record)) -> Made {
        let made = self.key(scopes);
        let mut record = self.record(&made);
        alter(&mut record);
        self.kv.plant(&kv_name(made.id()), Some(record.seal(&self.keyring).unwrap()));
        self.kv.plant(&peers_name(&made), Some(self.for_peer(&record)));
        made
    }

    /// The record of a key in KV.
    fn record(&self, made: &Made) -> Record {
        Record::open(&self.kv.newest(&kv_name(made.id())).unwrap(), made.id(), &self.keyring).unwrap()
    }

    /// Encodes a record for `peers/verify.mjs`: JSON after its seal.
    fn for_peer(&self, record: &Record) -> Vec<u8> {
        let json = serde_json::to_vec(record).unwrap();
        let mut sealed = self.keyring.newest().seal.mac(&[&json]).to_vec();
        sealed.extend(json);
        sealed
    }

    /// Starts an edge with an empty cache.
    pub fn edge(&self) -> Server {
        self.serve(
            edge(BindingTarget::At(self.wire.listen(&self.net)), BindingTarget::At(self.kv.address(EDGE)), None),
            "edge",
        )
    }

    /// Starts the key check in JavaScript. It verifies the tag of a locator "always" or "once".
    pub fn verify(&self, tags: &str) -> Server {
        let scope = |scope: Scope| {
            let info = scope.info();
            json!({"name": info.name, "bit": info.bit, "gives": info.gives})
        };
        let scopes: Vec<_> = Scope::all().map(scope).collect();
        let worker = peer("verify", &["setup", "key", "feed", "records", "networks", "check", "answers"])
            .service("VAULT", BindingTarget::At(self.wire.listen(&self.net)))
            .kv("KEYS", BindingTarget::At(self.kv.address(PEER)))
            .text("MASTER_KEYS", MASTER_KEYS)
            .text("SERVICE_TOKENS", SERVICE_TOKENS)
            .text("TAGS", tags)
            .text("SCOPES", &json!(scopes).to_string())
            .text("CONSOLE_URL", "https://console.example");
        self.serve(worker, "verify")
    }

    /// Starts a Worker without bindings.
    pub fn plain(&self, name: &'static str) -> Server {
        self.serve(peer(name, &[]), name)
    }

    fn serve(&self, worker: Worker, name: &'static str) -> Server {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let process = Process::start(&self.folder.path().join(format!("{name}-{number}")), &[worker]);
        Server { address: process.address(name), process }
    }

    /// KV operations of the edges so far.
    pub fn kv_operations(&self) -> u64 {
        self.kv.counts_of(EDGE).all()
    }

    /// KV writes of the edges so far.
    pub fn kv_writes(&self) -> u64 {
        let counts = self.kv.counts_of(EDGE);
        counts.written + counts.too_soon
    }
}

/// One Worker in its own process.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// Address of the Worker.
    pub address: SocketAddr,
}

/// The Worker in the file of this name, with its modules from the folder of this name.
fn peer(name: &str, imported: &[&str]) -> Worker {
    let folder = root().join("tests/bench/peers");
    let modules =
        [format!("{name}.mjs")].into_iter().chain(imported.iter().map(|module| format!("{name}/{module}.mjs")));
    modules.fold(Worker::new(name), |worker, file| {
        let path = folder.join(&file);
        worker.module(&file, Module::ScriptFile(path))
    })
}

fn peers_name(made: &Made) -> String {
    format!("j/{}", made.id())
}
