//! What lies between the edges and the vault, and between the vault's objects and the feed: it counts, delays, and can
//! fail for each kind of object by itself.

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
use ownchat_domain::feed::{Entry, Subject, decode, encode};
use ownchat_runtime::{Place, Worker};
use rand::{SeedableRng, rngs::SmallRng};
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

/// Leads what Durable Objects ask the feed over a service.
const SCRIPT: &str = include_str!("wire.mjs");

/// The wire.
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
    swallows_news: bool,
    forgotten: Vec<Subject>,
    random: SmallRng,
}

impl State {
    /// What is wrong with the object that a path is about.
    fn fault(&self, path: &str) -> Fault {
        let object = path.trim_start_matches('/').rsplit_once('/').map_or("", |(object, _)| object);
        let fault = self.faults.get(object).or_else(|| self.faults.get(kind_of(path)));
        fault.copied().unwrap_or_default()
    }
}

/// The kinds of objects that edges ask.
const KINDS: [&str; 4] = ["feed", "meter", "registry", "usage"];

/// The kind of object that a path is about.
pub fn kind_of(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

impl Wire {
    /// A wire that leads nowhere yet.
    pub fn new(clock: Clock, latency: Latency, seed: u64) -> Self {
        let state = State {
            vault: None,
            faults: HashMap::new(),
            asked: HashMap::new(),
            swallows_news: false,
            forgotten: Vec::new(),
            random: SmallRng::seed_from_u64(seed),
        };
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { clock, latency, client, state: Arc::new(Mutex::new(state)) }
    }

    /// An end of it, for an edge.
    pub fn listen(&self, net: &Net) -> SocketAddr {
        let wire = self.clone();
        net.listen(move |request| {
            let wire = wire.clone();
            async move { wire.carry(request).await }
        })
    }

    /// A vault whose objects reach the feed over this end of a wire only.
    pub fn set(worker: Worker, end: SocketAddr) -> Worker {
        let worker = worker.wrap_objects("by-wire.mjs", "byWire", "wire.mjs").script("wire.mjs", SCRIPT);
        worker.service("WIRE", Place::At(end))
    }

    /// Leads it to a vault, or nowhere.
    pub fn lead_to(&self, vault: Option<SocketAddr>) {
        self.state().vault = vault;
    }

    /// Makes questions to one kind of object fail, `feed`, `meter`, `registry` or `usage`, or to one object alone, such as
    /// `usage/7`.
    pub fn fail(&self, what: &str, fault: Fault) {
        assert!(KINDS.contains(&kind_of(what)), "there is no object {what}");
        self.state().faults.insert(what.to_owned(), fault);
    }

    /// Everything works again.
    pub fn mend(&self) {
        self.state().faults.clear();
    }

    /// How many questions came to one kind of object.
    pub fn asked(&self, kind: &str) -> u64 {
        self.state().asked.iter().filter(|(path, _)| kind_of(path) == kind).map(|(_, count)| count).sum()
    }

    /// How many questions came in all.
    pub fn all(&self) -> u64 {
        self.state().asked.values().sum()
    }

    /// How many questions came to one path.
    pub fn asked_at(&self, path: &str) -> u64 {
        self.state().asked.get(path).copied().unwrap_or(0)
    }

    /// Keeps from the edges what the feed tells: what they would do if they did not listen to it.
    pub fn swallow_news(&self, swallow: bool) {
        self.state().swallows_news = swallow;
    }

    /// Speaks of these keys in every answer of the feed, without forbidding anything: edges forget what they
    /// remember of them.
    pub fn make_forget(&self, subjects: Vec<Subject>) {
        self.state().forgotten = subjects;
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

    /// A page of the feed, as edges are to see it.
    fn tell(&self, body: Bytes) -> Bytes {
        let state = self.state();
        if !state.swallows_news && state.forgotten.is_empty() {
            return body;
        }
        let mut page = decode(&body).expect("the feed answers with a page");
        if state.swallows_news {
            page.entries.clear();
        }
        page.entries.extend(state.forgotten.iter().map(|subject| Entry { subject: *subject, version: 0 }));
        encode(&page).into()
    }
}
