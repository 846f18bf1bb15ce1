//! `ready.json`: announces to other programs that the deployment is healthy, and its URLs. The file
//! exists only as long as that holds.

use crate::{
    dev::options::{Options, origin},
    failure::Failure,
};
use serde_json::json;
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

/// The path of the file. Dropping it removes the file.
#[derive(Debug)]
pub struct Ready(PathBuf);

impl Ready {
    /// Starts without the file. Removes one that a killed run has left.
    pub fn not_yet(options: &Options) -> Self {
        let ready = Self(options.ready_file.clone());
        ready.remove();
        ready
    }

    /// Writes the file atomically, so that readers never see part of it.
    pub fn announce(&self, options: &Options, service_token: &str) -> Result<(), Failure> {
        let content = json!({
            "console": origin(options.console),
            "edge": origin(options.edge),
            "upstream": options.upstream_origin(),
            "setup_url": options.setup_url(),
            "setup_token": options.setup_token,
            "service_token": service_token,
        });
        let unfinished = self.0.with_extension("part");
        let write = || -> io::Result<()> {
            fs::create_dir_all(self.0.parent().unwrap_or(&self.0))?;
            // The file holds the set-up token and the service token: readable by its owner alone.
            let _ = fs::remove_file(&unfinished);
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            file.write_all(format!("{content:#}\n").as_bytes())?;
            fs::rename(&unfinished, &self.0)
        };
        write().map_err(|error| {
            let why = format!("{}: {error}", self.0.display());
            Failure::new("write ready.json", why, "see whether the disk is full, or choose READY_FILE")
        })
    }

    /// Removes the file: the deployment is no longer healthy.
    pub fn remove(&self) {
        // The file may not exist. An undeletable file could not have been written.
        let _ = fs::remove_file(&self.0);
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.remove();
    }
}
