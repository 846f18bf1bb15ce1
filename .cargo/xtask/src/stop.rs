//! Ctrl-C, and the sign to end that other programs send: noted here, looked at wherever something takes
//! long, so that whatever was started is ended too.

use crate::failure::Failure;
use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on a sign to end is noted instead of ending this process at once.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(request).map_err(|error| Failure::new("listen for Ctrl-C", error.to_string(), "start again"))
}

/// Treats the end of standard input as a sign to end, too. The parent process holds the other end
/// of the pipe, so this process ends with it, however it ends.
pub fn at_end_of_input() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        request();
    });
}

/// Asks everything that takes long to end.
pub fn request() {
    REQUESTED.store(true, Ordering::Relaxed);
}

/// Whether somebody wants this process to end.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
