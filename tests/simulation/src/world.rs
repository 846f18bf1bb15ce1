//! All of it together.

use crate::{Clock, Kv, Latency, Load, Net, Twin, Wire, alarms, load::Slot};
use ownchat_domain::{keyring::Keyring, time::SECOND};
use ownchat_runtime::{Admin, Answer, Client, Folder, JSON, MASTER_KEYS, Place, Process, SERVICE, Worker, edge, vault};
use serde_json::{Value, json};
use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// What a world is like.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many edges there are, each a location of its own.
    pub edges: usize,
    /// How many seconds pass in a real one.
    pub factor: f64,
    /// For how long a location may not see what was written into KV, in milliseconds.
    pub staleness: i64,
    /// How much it keeps this machine busy.
    pub load: Load,
    /// How long KV takes.
    pub kv: Latency,
    /// How long the way between an edge and the vault takes.
    pub wire: Latency,
    /// What everything random follows from.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let (kv, wire) = (Latency::KV, Latency::OBJECT);
        Self { edges: 1, factor: 10.0, staleness: 120_000, load: Load::Waiting, kv, wire, seed: 1 }
    }
}

/// Edges, vault, and what lies between them.
#[derive(Debug)]
pub struct World {
    /// The clock that everything lives on.
    pub clock: Clock,
    /// The KV namespace.
    pub kv: Kv,
    /// The way from the edges to the vault.
    pub wire: Wire,
    /// The way from the registries to the feed, inside of the vault.
    pub inside: Wire,
    /// The master secrets of every process that is started from now on.
    pub master_keys: String,
    edges: Vec<Option<Process>>,
    vault: Option<Process>,
    ends: Vec<SocketAddr>,
    inner_end: SocketAddr,
    folder: Folder,
    _net: Net,
    // The last to be dropped: until then something of the world runs.
    _slot: Slot,
}

impl World {
    /// Starts a world once the machine can take its `load`.
    ///
    /// A thread that holds a world must not start another: it would wait for itself.
    pub fn start(settings: &Settings) -> Self {
        let slot = Slot::of(settings.load);
        let (clock, net) = (Clock::start(settings.factor), Net::new());
        // The vault has a location of its own, after those of the edges.
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
            _slot: slot,
        };
        world.start_vault();
        for location in 0..settings.edges {
            world.start_edge(location);
        }
        world
    }

    /// Starts the vault, with what an earlier one has stored.
    pub fn start_vault(&mut self) {
        let worker = vault(Place::At(self.kv.address(self.edges.len()))).text("MASTER_KEYS", &self.master_keys);
        let worker = Wire::set(self.clock.set(worker), self.inner_end);
        let process = Process::start(&self.stored(), &[worker]);
        for wire in [&self.wire, &self.inside] {
            wire.lead_to(Some(process.address("vault")));
        }
        self.vault = Some(process);
    }

    /// Ends the vault as a crash would, whoever is speaking to it.
    pub fn crash_vault(&self) {
        for wire in [&self.wire, &self.inside] {
            wire.lead_to(None);
        }
        self.vault.as_ref().unwrap().crash();
    }

    /// Ends the vault, and takes away everything that its registries have stored; feeds, meters and counts keep theirs.
    pub fn lose_registries(&mut self) {
        self.end_vault();
        fs::remove_dir_all(self.stored().join("objects/vault-Registry")).unwrap();
    }

    /// Lets so many milliseconds pass while nothing runs: vault and edges end as in a crash, the clock is put forward, and all
    /// of them start anew, the vault with what it has stored. Whatever was due meanwhile is due at once. Edges remember nothing
    /// afterwards, no counts either, and everybody listens somewhere else: whoever calls must be made anew.
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

    /// Ends the vault for good: it must not go on writing.
    fn end_vault(&mut self) {
        self.crash_vault();
        drop(self.vault.take());
    }

    /// A second vault with what the crashed one has stored.
    pub fn twin(&self) -> Twin {
        Twin::start(&self.stored(), self.clock, &self.master_keys)
    }

    fn stored(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    /// Starts the edge of a location anew: it remembers nothing.
    pub fn start_edge(&mut self, location: usize) {
        self.start_edge_as(location, |worker| worker);
    }

    /// The same with an edge that is altered.
    pub fn start_edge_as(&mut self, location: usize, alter: impl FnOnce(Worker) -> Worker) {
        // The old one must not write into the log of the new one.
        drop(self.edges[location].take());
        let worker = edge(Place::At(self.ends[location]), Place::At(self.kv.address(location)), None);
        let worker = alter(worker.text("MASTER_KEYS", &self.master_keys));
        let folder = self.folder.path().join(format!("edge-{location}"));
        self.edges[location] = Some(Process::start(&folder, &[self.clock.set(worker)]));
    }

    /// Ends the edge of a location as a crash would, whoever is speaking to it.
    pub fn crash_edge(&self, location: usize) {
        self.edges[location].as_ref().unwrap().crash();
    }

    /// Where the vault listens.
    pub fn vault(&self) -> SocketAddr {
        self.vault.as_ref().unwrap().address("vault")
    }

    /// The master secrets of the processes that are started from now on.
    pub fn keyring(&self) -> Keyring {
        Keyring::parse(&self.master_keys).unwrap()
    }

    /// How much memory the vault takes, in bytes.
    pub fn memory(&self) -> u64 {
        self.vault.as_ref().unwrap().memory()
    }

    /// Makes the workspace of this number.
    pub fn found(&self, workspace: u32) -> Admin {
        Admin::found(self.vault(), workspace)
    }

    /// Somebody who calls the edge of a location.
    pub fn caller(&self, location: usize) -> Caller {
        Caller(Client::new(self.edges[location].as_ref().unwrap().address("edge")))
    }

    /// A caller of each edge.
    pub fn callers(&self) -> Vec<Caller> {
        (0..self.edges.len()).map(|location| self.caller(location)).collect()
    }

    /// What the processes have printed, with the name of each.
    pub fn logs(&self) -> String {
        let edges = self.edges.iter().flatten().enumerate().map(|(n, process)| format!("edge {n}:\n{}", process.log()));
        let vault = self.vault.iter().map(|process| format!("vault:\n{}", process.log()));
        vault.chain(edges).collect()
    }
}

/// A question about a key, ready to be sent.
#[derive(Clone, Debug)]
pub struct Question(Vec<u8>);

impl Question {
    /// Is this key good?
    pub fn about(token: &str) -> Self {
        Self::with(token, &json!({}))
    }

    /// Is this key good for that? `more` holds further fields of the question.
    pub fn with(token: &str, more: &Value) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let mut body = more.clone();
        body["key"] = token.into();
        // Each comes from a network of its own, so that nobody is taken for a flood.
        let network = COUNT.fetch_add(1, Ordering::Relaxed);
        let address = format!("2001:db8:{:x}:{:x}::1", network >> 16, network & 0xffff);
        let headers = [("CF-Connecting-IP", address.as_str()), JSON, SERVICE];
        Self(Client::request("POST", "/v1/verify", &headers, body.to_string().as_bytes()))
    }
}

/// Somebody who calls an edge.
#[derive(Debug)]
pub struct Caller(Client);

impl Caller {
    /// The code of the answer, such as `VALID`; the status if it is another than 200.
    pub fn code(&mut self, question: &Question) -> String {
        match self.try_code(question) {
            Ok(code) => code,
            Err(error) => panic!("an edge did not answer: {error}"),
        }
    }

    /// The code once it is another than `UNAVAILABLE`, for which an edge has half a minute.
    pub fn settled(&mut self, question: &Question, clock: Clock) -> String {
        let mut code = String::new();
        clock.until(30 * SECOND, || {
            code = self.code(question);
            code != "UNAVAILABLE"
        });
        code
    }

    /// The same, of an edge that may be gone.
    pub fn try_code(&mut self, question: &Question) -> io::Result<String> {
        let answer: Answer = self.0.send(&question.0)?;
        let code = answer.json()["code"].as_str().map(str::to_owned);
        Ok(code.unwrap_or_else(|| format!("{} {}", answer.status, answer.text())))
    }

    /// Asks, and does not wait for the answer: whoever drops the connection hangs up.
    pub fn begin(&self, question: &Question) -> TcpStream {
        self.0.begin(&Client::request("GET", "/v1/health", &[], b""), &question.0).unwrap()
    }

    /// The whole answer to any call.
    pub fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.0.call(method, path, headers, body).unwrap()
    }
}
