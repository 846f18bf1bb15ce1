//! Fake Workers KV, as stale, slow and strict as the real one may be.
//!
//! * Each location has its own view. A write becomes visible there after a random delay of up to
//!   the staleness. Until then the location serves the previous value, or "not found". So each
//!   location behaves as if it had cached every name just before the write.
//! * A name accepts one write a second; the next gets 429.
//! * Reads and writes take time, and can be made to fail.
//! * Every operation is counted.
//!
//! It speaks the runtime's KV protocol: `GET`, `PUT` and `DELETE` of `/<name>?urlencoded=true`.

mod store;

pub use store::KvCounts;

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

/// A fake KV namespace. Clones share its state.
#[derive(Clone, Debug)]
pub struct Kv {
    clock: Clock,
    latency: Latency,
    store: Arc<Mutex<Store>>,
    addresses: Vec<SocketAddr>,
}

impl Kv {
    /// Starts a namespace with this many locations, each on its own address. A location is stale by
    /// up to `staleness` milliseconds.
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

    /// Address that a location reads from and writes to.
    pub fn address(&self, location: usize) -> SocketAddr {
        self.addresses[location]
    }

    /// Injects a fault into one location, or into all of them.
    pub fn fail(&self, location: Option<usize>, fault: Fault) {
        self.store().fail(location, fault);
    }

    /// Counters of all locations together.
    pub fn counts(&self) -> KvCounts {
        self.store().counts(None)
    }

    /// Counters of one location.
    pub fn counts_of(&self, location: usize) -> KvCounts {
        self.store().counts(Some(location))
    }

    /// Number of reads of a name.
    pub fn reads_of(&self, name: &str) -> u64 {
        self.store().reads_of(name)
    }

    /// Number of reads of a name in locations that had not yet seen its newest write.
    pub fn stale_reads_of(&self, name: &str) -> u64 {
        self.store().stale_reads_of(name)
    }

    /// Last value written under a name, visible or not.
    pub fn newest(&self, name: &str) -> Option<Vec<u8>> {
        self.store().newest(name)
    }

    /// All values ever written under a name, oldest first.
    pub fn history(&self, name: &str) -> Vec<Vec<u8>> {
        self.store().history(name)
    }

    /// Serves this value, or "not found", under a name in all locations, regardless of writes.
    pub fn plant(&self, name: &str, value: Option<Vec<u8>>) {
        self.store().plant(name, value);
    }

    /// Writes or deletes a value behind the vault's back, without counting it. All locations see it
    /// at once, until the vault's next write.
    pub fn tamper(&self, name: &str, value: Option<Vec<u8>>) {
        self.store().tamper(name, value, self.clock.now());
    }

    /// Removes all planted values, so that reads return the written ones.
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
