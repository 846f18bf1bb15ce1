//! A stand-in for Workers KV that is as bad as the real one may be.
//!
//! * Each location has a view of its own. What is written is seen there a random time later, up to the staleness;
//!   until then the location serves what was there before, also "there is nothing". This is as if every location
//!   had read every name a moment before it was written, and kept the answer.
//! * A name takes one write a second; the next is refused with 429.
//! * Reads and writes take time, and can be made to fail.
//! * Every operation is counted.
//!
//! It speaks the runtime's own protocol: `GET`, `PUT` and `DELETE` of `/<name>?urlencoded=true`.

mod store;

pub use store::Counts;

use crate::{
    clock::Clock,
    fault::Fault,
    latency::Latency,
    net::{Answered, Asked, Net, answer, cut},
};
use hyper::Method;
use ownchat_domain::time::Timestamp;
use percent_encoding::percent_decode_str;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};
use store::{Refused, Store};

/// The namespace.
#[derive(Clone, Debug)]
pub struct Kv {
    clock: Clock,
    latency: Latency,
    store: Arc<Mutex<Store>>,
    addresses: Vec<SocketAddr>,
}

impl Kv {
    /// One with so many locations, each with an address of its own, stale by up to `staleness` milliseconds.
    pub fn start(net: &Net, clock: Clock, locations: usize, staleness: i64, latency: Latency, seed: u64) -> Self {
        let store = Arc::new(Mutex::new(Store::new(locations, staleness, seed)));
        let mut kv = Self { clock, latency, store, addresses: Vec::new() };
        for location in 0..locations {
            let view = kv.clone();
            kv.addresses.push(net.listen(move |request| {
                let view = view.clone();
                async move { view.serve(location, &request).await }
            }));
        }
        kv
    }

    /// Where a location reads and writes.
    pub fn address(&self, location: usize) -> SocketAddr {
        self.addresses[location]
    }

    /// Makes a location fail, or all of them.
    pub fn fail(&self, location: Option<usize>, fault: Fault) {
        self.store().fail(location, fault);
    }

    /// What is counted of all locations together.
    pub fn counts(&self) -> Counts {
        self.store().counts(None)
    }

    /// What is counted of one location.
    pub fn counts_of(&self, location: usize) -> Counts {
        self.store().counts(Some(location))
    }

    /// How often a name was read.
    pub fn reads_of(&self, name: &str) -> u64 {
        self.store().reads_of(name)
    }

    /// How often a name was read where something newer had been written, of which that location knew nothing yet.
    pub fn stale_reads_of(&self, name: &str) -> u64 {
        self.store().stale_reads_of(name)
    }

    /// What was written last under a name, whoever sees it already.
    pub fn newest(&self, name: &str) -> Option<Vec<u8>> {
        self.store().newest(name)
    }

    /// Everything that was ever written under a name, the eldest first.
    pub fn history(&self, name: &str) -> Vec<Vec<u8>> {
        self.store().history(name)
    }

    /// Serves this under a name in all locations, whatever is written: other bytes, or that there is nothing.
    pub fn plant(&self, name: &str, value: Option<Vec<u8>>) {
        self.store().plant(name, value);
    }

    /// Writes this, or takes away what is there, as somebody might who is not the vault: every location sees it at once, until
    /// the vault writes something else. It is not counted.
    pub fn tamper(&self, name: &str, value: Option<Vec<u8>>) {
        self.store().tamper(name, value, self.clock.now());
    }

    /// Serves what was written under every name.
    pub fn clear(&self) {
        self.store().clear();
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    async fn serve(&self, location: usize, request: &Asked) -> Answered {
        let path = request.uri().path().trim_start_matches('/');
        let name = percent_decode_str(path).decode_utf8_lossy().into_owned();
        let (delay, fault) = self.store().begin(location, self.latency);
        match fault {
            Fault::Error => return answer(500, "out of order"),
            Fault::Cut => return cut(),
            Fault::None | Fault::Lost => tokio::time::sleep(self.clock.real(delay)).await,
            Fault::Slow(more) => tokio::time::sleep(self.clock.real(delay + more)).await,
        }
        let now = self.clock.now();
        let answered = self.answer(location, &name, request, now);
        if fault == Fault::Lost { cut() } else { answered }
    }

    fn answer(&self, location: usize, name: &str, request: &Asked, now: Timestamp) -> Answered {
        match *request.method() {
            Method::GET => match self.store().read(location, name, now) {
                Some(bytes) => answer(200, bytes),
                None => answer(404, ""),
            },
            Method::PUT | Method::DELETE => {
                let value = (*request.method() == Method::PUT).then(|| request.body().to_vec());
                match self.store().write(location, name, value, now) {
                    Ok(()) => answer(200, ""),
                    Err(Refused) => answer(429, "one write a second"),
                }
            }
            _ => answer(501, "the stand-in does not know this"),
        }
    }
}
