//! A whole deployment: edges, vault, and the fake network between them.

use crate::{Clock, Kv, Latency, Load, Net, Twin, Wire, alarms, load::LoadPermit};
use ownchat_domain::{keyring::Keyring, time::SECOND};
use ownchat_runtime::{
    Admin, Answer, BindingTarget, Folder, HttpClient, JSON, MASTER_KEYS, Process, SERVICE, Worker, edge, vault,
};
use serde_json::{Value, json};
use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// Configuration of a world.
#[derive(Clone, Copy, Debug)]
pub struct WorldConfig {
    /// Number of edges, each in its own location.
    pub edges: usize,
    /// Simulated seconds per real second.
    pub factor: f64,
    /// Longest time until a location sees a KV write, in milliseconds.
    pub staleness: i64,
    /// Load on this machine.
    pub load: Load,
    /// Latency of KV.
    pub kv: Latency,
    /// Latency between an edge and the vault.
    pub wire: Latency,
    /// Seed of all random values.
    pub seed: u64,
}

impl Default for WorldConfig {
    fn default() -> Self {
        let (kv, wire) = (Latency::KV, Latency::OBJECT);
        Self { edges: 1, factor: 10.0, staleness: 120_000, load: Load::Waiting, kv, wire, seed: 1 }
    }
}

/// Edges, vault, and the fake network between them.
#[derive(Debug)]
pub struct World {
    /// The clock of all processes.
    pub clock: Clock,
    /// The KV namespace.
    pub kv: Kv,
    /// The network between the edges and the vault.
    pub wire: Wire,
    /// The network between the registries and the feed, inside the vault.
    pub inside: Wire,
    /// Master secrets of every process that starts from now on.
    pub master_keys: String,
    edges: Vec<Option<Process>>,
    vault: Option<Process>,
    ends: Vec<SocketAddr>,
    inner_end: SocketAddr,
    folder: Folder,
    _net: Net,
    // Dropped last: until then processes of the world run.
    _permit: LoadPermit,
}

impl World {
    /// Starts a world once the machine can take its `load`.
    ///
    /// A thread that holds a world must not start another: it would wait for itself.
    pub fn start(settings: &WorldConfig) -> Self {
        let slot = LoadPermit::of(settings.load);
        let (clock, net) = (Clock::start(settings.factor), Net::new());
        // The vault has its own location, after those of the edges.
        let kv = Kv::start(&net, clock, settings.edges + 1, settings.staleness, settings.kv, settings.seed);
        let wire = Wire::new(clock, settings.wire, settings.seed);
        let inside = Wire::new(clock, Latency::NONE, settings.seed);
        let inner_end = inside.listen(&net);
        let ends = (0..settings.edges).map(|_| wire.listen(&net)).collect();
        let edges = (0..settings.edges).map(|_| None).collect();
        let folder = Folder::make("simulation");
        let master_keys = MASTER_KEYS.to_owned();
        let mut world = Self {
            clock,
            kv,
            wire,
            inside,
            master_keys,
            edges,
            vault: None,
            ends,
            inner_end,
            folder,
            _net: net,
            _permit: slot,
        };
        world.start_vault();
        for location in 0..settings.edges {
            world.start_edge(location);
        }
        world
    }

    /// Starts the vault on the storage of an earlier one.
    pub fn start_vault(&mut self) {
        let worker = vault(BindingTarget::At(self.kv.address(self.edges.len()))).text("MASTER_KEYS", &self.master_keys);
        let worker = Wire::set(self.clock.set(worker), self.inner_end);
        let process = Process::start(&self.stored(), &[worker]);
        for wire in [&self.wire, &self.inside] {
            wire.route_to(Some(process.address("vault")));
        }
        self.vault = Some(process);
    }

    /// Kills the vault as a crash does, with requests in flight.
    pub fn crash_vault(&self) {
        for wire in [&self.wire, &self.inside] {
            wire.route_to(None);
        }
        self.vault.as_ref().unwrap().crash();
    }

    /// Ends the vault and deletes the storage of its registries. Feeds, meters and counts keep
    /// theirs.
    pub fn lose_registries(&mut self) {
        self.end_vault();
        fs::remove_dir_all(self.stored().join("objects/vault-Registry")).unwrap();
    }

    /// Skips this many milliseconds while nothing runs.
    ///
    /// Kills vault and edges, puts the clock forward, and restarts all; the vault keeps its
    /// storage. Overdue alarms fire at once. Edges lose their caches and their unsent counts. All
    /// addresses change, so callers must be created anew.
    pub fn skip(&mut self, millis: i64) {
        self.end_vault();
        self.edges.iter_mut().for_each(|edge| drop(edge.take()));
        self.clock.skip(millis);
        alarms::bring_forward(&self.stored().join("objects"), self.clock.real(millis));
        self.start_vault();
        for location in 0..self.edges.len() {
            self.start_edge(location);
        }
    }

    /// Ends the process of the vault, so that it writes nothing more.
    fn end_vault(&mut self) {
        self.crash_vault();
        drop(self.vault.take());
    }

    /// Starts a second vault on a copy of the crashed one's storage.
    pub fn twin(&self) -> Twin {
        Twin::start(&self.stored(), self.clock, &self.master_keys)
    }

    fn stored(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    /// Restarts the edge of a location with an empty cache.
    pub fn start_edge(&mut self, location: usize) {
        self.start_edge_as(location, |worker| worker);
    }

    /// Restarts the edge of a location with an altered Worker.
    pub fn start_edge_as(&mut self, location: usize, alter: impl FnOnce(Worker) -> Worker) {
        // The old process must not write into the log of the new one.
        drop(self.edges[location].take());
        let worker = edge(BindingTarget::At(self.ends[location]), BindingTarget::At(self.kv.address(location)), None);
        let worker = alter(worker.text("MASTER_KEYS", &self.master_keys));
        let folder = self.folder.path().join(format!("edge-{location}"));
        self.edges[location] = Some(Process::start(&folder, &[self.clock.set(worker)]));
    }

    /// Kills the edge of a location as a crash does, with requests in flight.
    pub fn crash_edge(&self, location: usize) {
        self.edges[location].as_ref().unwrap().crash();
    }

    /// Address of the vault.
    pub fn vault(&self) -> SocketAddr {
        self.vault.as_ref().unwrap().address("vault")
    }

    /// Keyring of the processes that start from now on.
    pub fn keyring(&self) -> Keyring {
        Keyring::parse(&self.master_keys).unwrap()
    }

    /// Memory of the vault's process, in bytes.
    pub fn memory(&self) -> u64 {
        self.vault.as_ref().unwrap().memory()
    }

    /// Creates the workspace of this number, and returns its owner.
    pub fn found(&self, workspace: u32) -> Admin {
        Admin::found(self.vault(), workspace)
    }

    /// A client of the edge of a location.
    pub fn caller(&self, location: usize) -> EdgeClient {
        EdgeClient(HttpClient::new(self.edges[location].as_ref().unwrap().address("edge")))
    }

    /// A client of each edge.
    pub fn callers(&self) -> Vec<EdgeClient> {
        (0..self.edges.len()).map(|location| self.caller(location)).collect()
    }

    /// Log output of all processes, each under its name.
    pub fn logs(&self) -> String {
        let edges = self.edges.iter().flatten().enumerate().map(|(n, process)| format!("edge {n}:\n{}", process.log()));
        let vault = self.vault.iter().map(|process| format!("vault:\n{}", process.log()));
        vault.chain(edges).collect()
    }
}

/// A verify request, ready to be sent.
#[derive(Clone, Debug)]
pub struct VerifyRequest(Vec<u8>);

impl VerifyRequest {
    /// Builds a request to verify a key.
    pub fn of(token: &str) -> Self {
        Self::with(token, &json!({}))
    }

    /// Builds a request to verify a key, with further fields of the body in `more`.
    pub fn with(token: &str, more: &Value) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut body = more.clone();
        body["key"] = token.into();
        // Each request comes from its own network, so that no limiter takes them for a flood.
        let network = COUNT.fetch_add(1, Ordering::Relaxed);
        let address = format!("2001:db8:{:x}:{:x}::1", network >> 16, network & 0xffff);
        let headers = [("CF-Connecting-IP", address.as_str()), JSON, SERVICE];
        Self(HttpClient::request("POST", "/v1/verify", &headers, body.to_string().as_bytes()))
    }
}

/// A client of an edge.
#[derive(Debug)]
pub struct EdgeClient(HttpClient);

impl EdgeClient {
    /// Code of the response, such as `VALID`; status and body if it has none.
    pub fn code(&mut self, request: &VerifyRequest) -> String {
        match self.try_code(request) {
            Ok(code) => code,
            Err(error) => panic!("an edge did not answer: {error}"),
        }
    }

    /// Retries for up to 30 s while the code is `UNAVAILABLE`, and returns the last code.
    pub fn settled(&mut self, request: &VerifyRequest, clock: Clock) -> String {
        let mut code = String::new();
        clock.until(30 * SECOND, || {
            code = self.code(request);
            code != "UNAVAILABLE"
        });
        code
    }

    /// Like `code`, for an edge that may be gone.
    pub fn try_code(&mut self, request: &VerifyRequest) -> io::Result<String> {
        let answer: Answer = self.0.send(&request.0)?;
        let code = answer.json()["code"].as_str().map(str::to_owned);
        Ok(code.unwrap_or_else(|| format!("{} {}", answer.status, answer.text())))
    }

    /// Sends a request without waiting for the response. Dropping the connection hangs up.
    pub fn begin(&self, request: &VerifyRequest) -> TcpStream {
        self.0.begin(&HttpClient::request("GET", "/v1/health", &[], b""), &request.0).unwrap()
    }

    /// Sends any request, and returns the whole response.
    pub fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.0.call(method, path, headers, body).unwrap()
    }
}
