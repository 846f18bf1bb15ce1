//! The KV namespace with replicas of sealed records, as a port of the registry.

use worker::KvStore;

/// A key-value store of bytes.
pub trait KvReplica {
    /// Writes a value.
    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String>;
    /// Reads a value, which may be a minute stale.
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    /// Deletes a value.
    async fn delete(&self, name: &str) -> Result<(), String>;
}

impl KvReplica for KvStore {
    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let put = self.put_bytes(name, bytes).map_err(|error| error.to_string())?;
        put.execute().await.map_err(|error| error.to_string())
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        Self::get(self, name).bytes().await.map_err(|error| error.to_string())
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        Self::delete(self, name).await.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
pub mod memory {
    //! In-memory KV, for tests.
    #![allow(missing_docs)]

    use super::KvReplica;
    use std::{
        cell::{Cell, RefCell},
        collections::BTreeMap,
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    #[derive(Default)]
    pub struct MemoryKv {
        pub records: RefCell<BTreeMap<String, Vec<u8>>>,
        /// True if every operation fails.
        pub is_down: Cell<bool>,
        pub reads: Cell<u32>,
    }

    impl MemoryKv {
        fn respond<T>(&self, value: T) -> Result<T, String> {
            if self.is_down.get() { Err("down".into()) } else { Ok(value) }
        }
    }

    impl KvReplica for MemoryKv {
        async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
            self.respond(())?;
            self.records.borrow_mut().insert(name.into(), bytes.into());
            Ok(())
        }

        async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
            self.reads.set(self.reads.get() + 1);
            self.respond(self.records.borrow().get(name).cloned())
        }

        async fn delete(&self, name: &str) -> Result<(), String> {
            self.respond(())?;
            self.records.borrow_mut().remove(name);
            Ok(())
        }
    }

    /// Returns the output of a future that never suspends.
    pub fn expect_ready<T>(work: impl Future<Output = T>) -> T {
        match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("it is queued"),
        }
    }
}
