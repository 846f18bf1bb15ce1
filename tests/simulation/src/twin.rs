//! A second vault on a copy of a crashed vault's storage. Requests to it do not affect the first.

use crate::clock::Clock;
use ownchat_runtime::{BindingTarget, Folder, Process, no_kv, vault};
use std::{fs, net::SocketAddr, path::Path};

/// The second vault. Dropping it ends its process.
#[derive(Debug)]
pub struct Twin {
    process: Process,
    _folder: Folder,
}

impl Twin {
    /// Starts it on a copy of the first vault's folder.
    pub(crate) fn start(stored: &Path, clock: Clock, master_keys: &str) -> Self {
        let folder = Folder::make("twin");
        copy(stored, folder.path());
        let worker = clock.set(vault(BindingTarget::Here("no-kv".into())).text("MASTER_KEYS", master_keys));
        let process = Process::start(folder.path(), &[worker, no_kv("no-kv")]);
        Self { process, _folder: folder }
    }

    /// Address of the second vault.
    pub fn address(&self) -> SocketAddr {
        self.process.address("vault")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}
