//! Ctrl-C, and the sign to end that other programs send: noted here, looked at wherever something takes
//! long, so that whatever was started is ended too.

use crate::failure::Failure;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on a sign to end is noted instead of ending this process at once.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| REQUESTED.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::new("listen for Ctrl-C", error.to_string(), "start again"))
}

/// Whether somebody wants this process to end.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
