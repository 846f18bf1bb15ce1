//! `ready.json`: says to programs that everything answers, and where. It is there only while that is so.

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

/// The file; removed when this is dropped.
#[derive(Debug)]
pub struct Ready(PathBuf);

impl Ready {
    /// A file that is not there yet. What an earlier run that was killed has left goes away.
    pub fn not_yet(options: &Options) -> Self {
        let ready = Self(options.ready_file.clone());
        ready.remove();
        ready
    }

    /// Writes the file, whole in one step: whoever sees it can read it.
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
            // It opens the set-up and asks about keys, so it is the owner's alone.
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

    /// From now on not everything answers.
    pub fn remove(&self) {
        // It may not be there; one that cannot be removed could not have been written.
        let _ = fs::remove_file(&self.0);
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.remove();
    }
}
