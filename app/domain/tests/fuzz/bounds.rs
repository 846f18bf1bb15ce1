//! Limits of a parser under test: memory proportional to the input, and a timeout.

use allocation_counter::measure;
use std::{
    io::{Write, stderr},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process,
    sync::{Mutex, Once},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Maximum bytes of memory held at once per byte of input.
const PER_BYTE: usize = 64;
/// Maximum bytes of memory held at once in addition.
const BASE: usize = 16 * 1024;
/// Maximum bytes that serde preallocates for a list by its claimed length alone.
pub const CLAIMED: usize = 1024 * 1024;
/// Timeout of one case, many times the usual duration: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(2);

/// A case that is being parsed.
struct Reading {
    by: Thread,
    since: Instant,
    input: Vec<u8>,
}

/// The cases in progress.
static READING: Mutex<Vec<Reading>> = Mutex::new(Vec::new());

/// Runs `read` on `input` and asserts the limits of memory and time.
pub fn within<T>(input: impl AsRef<[u8]>, read: impl FnOnce() -> T) -> T {
    within_and(0, input, read)
}

/// Runs [`within`] with `more` extra bytes of memory.
pub fn within_and<T>(more: usize, input: impl AsRef<[u8]>, read: impl FnOnce() -> T) -> T {
    let input = input.as_ref();
    let since = begin(input);
    let mut outcome = None;
    let held = measure(|| outcome = Some(catch_unwind(AssertUnwindSafe(read))));
    let took = since.elapsed();
    READING.lock().unwrap().retain(|reading| reading.by.id() != thread::current().id());
    let value = outcome.unwrap().unwrap_or_else(|panic| resume_unwind(panic));
    let (most, may) = (usize::try_from(held.bytes_max).unwrap(), PER_BYTE * input.len() + BASE + more);
    assert!(most <= may, "for {} bytes {most} bytes of memory were held", input.len());
    assert!(took <= PATIENCE, "{} bytes took {took:?}", input.len());
    value
}

/// Registers a case, so the watchdog notices if it never ends.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
fn begin(input: &[u8]) -> Instant {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| drop(thread::spawn(watch)));
    let since = Instant::now();
    READING.lock().unwrap().push(Reading { by: thread::current(), since, input: input.to_vec() });
    since
}

/// Watchdog: exits the process if a case hangs, since no assertion after a hang is ever reached.
fn watch() {
    loop {
        thread::sleep(PATIENCE);
        let reading = READING.lock().unwrap();
        if let Some(Reading { by, input, .. }) = reading.iter().find(|one| one.since.elapsed() > 5 * PATIENCE) {
            // Writes to stderr directly: a test that hangs never shows its captured output.
            let _ = writeln!(stderr(), "{} hangs at \"{}\"", by.name().unwrap_or_default(), input.escape_ascii());
            process::exit(1);
        }
    }
}
