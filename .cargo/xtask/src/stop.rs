//! Graceful shutdown on Ctrl-C, a termination signal, or the end of standard input.
//! Records the request; long-running steps poll it and stop their child processes.

use crate::failure::Failure;
use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Installs the signal handler. From then on a signal no longer ends this process at once.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(request).map_err(|error| Failure::new("listen for Ctrl-C", error.to_string(), "start again"))
}

/// Treats the end of standard input as a stop request, too. The parent process holds the other end
/// of the pipe, so this process ends with it in any case.
pub fn at_end_of_input() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        request();
    });
}

/// Requests a stop of everything that runs long.
pub fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}

/// Returns true after a stop request.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
