//! Network between the edges and the vault, and between the vault's objects and the feed. It counts
//! requests, delays them, and injects faults for each kind of object.

use crate::{
    clock::Clock,
    fault::Fault,
    latency::Latency,
    net::{Answered, Asked, Net, answer, cut},
};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use ownchat_domain::feed::{Affected, Entry, decode, encode};
use ownchat_runtime::{BindingTarget, Worker};
use rand::{SeedableRng, rngs::SmallRng};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

/// Routes requests of Durable Objects to the feed over a service.
const SCRIPT: &str = include_str!("wire.mjs");

/// A proxy before a vault that injects faults. Clones share its state.
#[derive(Clone, Debug)]
pub struct Wire {
    clock: Clock,
    latency: Latency,
    client: Client<HttpConnector, Full<Bytes>>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    vault: Option<SocketAddr>,
    faults: HashMap<String, Fault>,
    asked: HashMap<String, u64>,
    drops_feed_entries: bool,
    evicted: Vec<Affected>,
    random: SmallRng,
}

impl State {
    /// Fault of the object that a path addresses.
    fn fault(&self, path: &str) -> Fault {
        let object = path.trim_start_matches('/').rsplit_once('/').map_or("", |(object, _)| object);
        let fault = self.faults.get(object).or_else(|| self.faults.get(kind_of(path)));
        fault.copied().unwrap_or_default()
    }
}

/// Kinds of objects that edges call.
const KINDS: [&str; 4] = ["feed", "meter", "registry", "usage"];

/// Kind of the object that a path addresses.
pub fn kind_of(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

impl Wire {
    /// Creates a wire that is not connected to a vault yet.
    pub fn new(clock: Clock, latency: Latency, seed: u64) -> Self {
        let state = State {
            vault: None,
            faults: HashMap::new(),
            asked: HashMap::new(),
            drops_feed_entries: false,
            evicted: Vec::new(),
            random: SmallRng::seed_from_u64(seed),
        };
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { clock, latency, client, state: Arc::new(Mutex::new(state)) }
    }

    /// Opens an end of the wire for an edge, and returns its address.
    pub fn listen(&self, net: &Net) -> SocketAddr {
        let wire = self.clone();
        net.listen(move |request| {
            let wire = wire.clone();
            async move { wire.carry(request).await }
        })
    }

    /// Makes the objects of a vault reach the feed over this end of a wire only.
    pub fn set(worker: Worker, end: SocketAddr) -> Worker {
        let worker = worker.wrap_objects("by-wire.mjs", "byWire", "wire.mjs").script("wire.mjs", SCRIPT);
        worker.service("WIRE", BindingTarget::At(end))
    }

    /// Connects the wire to a vault, or disconnects it.
    pub fn route_to(&self, vault: Option<SocketAddr>) {
        self.state().vault = vault;
    }

    /// Injects a fault into requests to one kind of object: `feed`, `meter`, `registry` or `usage`.
    /// A name such as `usage/7` selects a single object.
    pub fn fail(&self, what: &str, fault: Fault) {
        assert!(KINDS.contains(&kind_of(what)), "there is no object {what}");
        self.state().faults.insert(what.to_owned(), fault);
    }

    /// Removes all faults.
    pub fn repair(&self) {
        self.state().faults.clear();
    }

    /// Number of requests to one kind of object.
    pub fn asked(&self, kind: &str) -> u64 {
        self.state().asked.iter().filter(|(path, _)| kind_of(path) == kind).map(|(_, count)| count).sum()
    }

    /// Number of requests in total.
    pub fn all(&self) -> u64 {
        self.state().asked.values().sum()
    }

    /// Number of requests to one path.
    pub fn asked_at(&self, path: &str) -> u64 {
        self.state().asked.get(path).copied().unwrap_or(0)
    }

    /// Drops all entries from the feed's pages, as if the edges ignored the feed.
    pub fn drop_feed_entries(&self, drop: bool) {
        self.state().drops_feed_entries = drop;
    }

    /// Adds these subjects to every page of the feed, without refusing any version. Edges then
    /// evict them from their caches.
    pub fn evict(&self, subjects: Vec<Affected>) {
        self.state().evicted = subjects;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn carry(&self, request: Asked) -> Answered {
        let path = request.uri().path().to_owned();
        let (vault, fault, delay) = {
            let mut state = self.state();
            *state.asked.entry(path.clone()).or_default() += 1;
            let delay = self.latency.sample(&mut state.random);
            (state.vault, state.fault(&path), delay)
        };
        match fault {
            Fault::Error => return answer(500, "out of order"),
            Fault::Cut => return cut(),
            Fault::None | Fault::Lost => tokio::time::sleep(self.clock.real(delay)).await,
            Fault::Slow(more) => tokio::time::sleep(self.clock.real(delay + more)).await,
        }
        let vault = vault.ok_or(io::ErrorKind::ConnectionRefused)?;
        let forward = Request::builder().method(request.method()).uri(format!("http://{vault}{path}"));
        let forward = forward.body(Full::new(request.into_body())).map_err(io::Error::other)?;
        let answered = self.client.request(forward).await.map_err(io::Error::other)?;
        let status = answered.status().as_u16();
        let body = answered.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        if fault == Fault::Lost {
            return cut();
        }
        answer(status, if kind_of(&path) == "feed" && status == 200 { self.tell(body) } else { body })
    }

    /// Rewrites a page of the feed as the edges are to see it.
    fn tell(&self, body: Bytes) -> Bytes {
        let state = self.state();
        if !state.drops_feed_entries && state.evicted.is_empty() {
            return body;
        }
        let mut page = decode(&body).expect("the feed answers with a page");
        if state.drops_feed_entries {
            page.entries.clear();
        }
        page.entries.extend(state.evicted.iter().map(|subject| Entry { subject: *subject, version: 0 }));
        encode(&page).expect("a page is serialised").into()
    }
}
