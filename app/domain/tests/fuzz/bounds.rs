//! What reading may take: memory in proportion to what is read, and no time to speak of.

use allocation_counter::measure;
use std::{
    io::{Write, stderr},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process,
    sync::{Mutex, Once},
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Most bytes that are held at once for each byte that is read.
const PER_BYTE: usize = 64;
/// Most bytes that are held at once beside those.
const BASE: usize = 16 * 1024;
/// Most bytes that serde takes for a list of which it has only read how long it is.
pub const CLAIMED: usize = 1024 * 1024;
/// Longest time for one case, many times what any takes: the machine may have other things to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// A case that is being read.
struct Reading {
    by: Thread,
    since: Instant,
    input: Vec<u8>,
}

/// What is being read at the moment.
static READING: Mutex<Vec<Reading>> = Mutex::new(Vec::new());

/// Reads `input`, and sees that it takes neither too much memory nor too long.
pub fn within<T>(input: impl AsRef<[u8]>, read: impl FnOnce() -> T) -> T {
    within_and(0, input, read)
}

/// The same, where so many bytes more may be held.
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

/// Notes that reading begins, so that somebody sees if it never comes to its end.
#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
fn begin(input: &[u8]) -> Instant {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| drop(thread::spawn(watch)));
    let since = Instant::now();
    READING.lock().unwrap().push(Reading { by: thread::current(), since, input: input.to_vec() });
    since
}

/// Ends everything when something hangs: no assertion behind it is ever reached.
fn watch() {
    loop {
        thread::sleep(PATIENCE);
        let reading = READING.lock().unwrap();
        if let Some(Reading { by, input, .. }) = reading.iter().find(|one| one.since.elapsed() > 5 * PATIENCE) {
            // Past what the test that hangs would show if it ever ended.
            let _ = writeln!(stderr(), "{} hangs at \"{}\"", by.name().unwrap_or_default(), input.escape_ascii());
            process::exit(1);
        }
    }
}
