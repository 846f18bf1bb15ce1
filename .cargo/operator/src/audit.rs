//! Verifies the hash chain of an audit trail exported as NDJSON.
//! The file holds every page of `GET /api/v1/audit?format=ndjson` in order, without filters.

use ownchat_domain::audit::{Chain, Flaw};
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

/// Maximum length of a line in bytes, far above any line of a real trail.
const LINE_MAX: u64 = 1024 * 1024;

/// Summary of a valid trail: line count, first and last time, hash of the last line.
#[derive(Debug, PartialEq, Eq)]
pub struct TrailSummary {
    lines: u64,
    first: String,
    last: String,
    head: String,
}

impl fmt::Display for TrailSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "good: the chain holds")?;
        writeln!(f, "lines  {}", self.lines)?;
        writeln!(f, "first  {}", self.first)?;
        writeln!(f, "last   {}", self.last)?;
        writeln!(f, "head   {}", self.head)
    }
}

/// An error in reading or verifying a trail.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file has another format.
    #[error("this is {0}, which cannot be verified; ask for the trail with format=ndjson")]
    Format(&'static str),
    /// The file holds no line.
    #[error("the file holds no line")]
    Empty,
    /// The file ends inside this line.
    #[error("bad: line {0} is cut: the file ends inside it")]
    Cut(u64),
    /// The line exceeds the maximum length.
    #[error("bad: line {0} is longer than any line of an audit trail")]
    Long(u64),
    /// Lines are missing.
    #[error("bad: at line {line} of the file the lines with the numbers {line} to {until} are missing")]
    Missing {
        /// Number of the first missing line.
        line: u64,
        /// Number of the last missing line.
        until: u64,
    },
    /// A line is out of order.
    #[error("bad: line {line} is out of order: it has the number {found}, and number {line} stands further below")]
    OutOfOrder {
        /// Position of the line in the file, from 1.
        line: u64,
        /// Sequence number of the line.
        found: u64,
    },
    /// A sequence number occurs again.
    #[error("bad: line {line} is out of order: it has the number {found}, which was there before")]
    Repeated {
        /// Position of the line in the file, from 1.
        line: u64,
        /// Sequence number of the line.
        found: u64,
    },
    /// Another flaw in the chain.
    #[error("bad: {0}")]
    Flaw(Flaw),
    /// The chain is valid, but its last hash is not the expected one.
    #[error(
        "bad: the chain holds, and its last line, number {lines}, has the hash {found} instead of {wanted}: lines \
         are missing at the end, or the whole trail was written anew"
    )]
    Head {
        /// Number of lines in the file.
        lines: u64,
        /// Hash of the last line.
        found: String,
        /// Expected hash of the last line.
        wanted: String,
    },
}

/// Verifies a file. `head` is the expected hash of the last line, if the operator knows it.
pub fn verify(file: &str, head: Option<&str>) -> Result<TrailSummary, Fault> {
    examine(&mut BufReader::new(File::open(file)?), head)
}

fn examine(file: &mut impl BufRead, head: Option<&str>) -> Result<TrailSummary, Fault> {
    let mut chain = Chain::default();
    let mut times: Option<(String, String)> = None;
    while let Some((bytes, whole)) = next_line(file, chain.count() + 1)? {
        let text = String::from_utf8_lossy(&bytes);
        if chain.count() == 0 {
            check_format(&text)?;
        }
        match chain.take(&text) {
            // Lossy decoding of invalid UTF-8 can reproduce the original text, and then the hash
            // fits.
            Ok(line) if text.as_bytes() != bytes => return Err(Fault::Flaw(Flaw::Altered(line.sequence))),
            Ok(line) => {
                let at = line.at.moment().rfc3339();
                times = Some(times.map_or((at.clone(), at.clone()), |(first, _)| (first, at)));
            }
            Err(Flaw::Unreadable(line)) if !whole => return Err(Fault::Cut(line)),
            Err(Flaw::Misplaced { line, found }) => return Err(misplaced(file, line, found)),
            Err(flaw) => return Err(Fault::Flaw(flaw)),
        }
    }
    let (first, last) = times.ok_or(Fault::Empty)?;
    let report = TrailSummary { lines: chain.count(), first, last, head: chain.head().to_owned() };
    match head.filter(|head| !head.eq_ignore_ascii_case(&report.head)) {
        Some(wanted) => Err(Fault::Head { lines: report.lines, found: report.head, wanted: wanted.to_owned() }),
        None => Ok(report),
    }
}

/// Returns the next non-empty line without its line break, and true if it had one.
fn next_line(file: &mut impl BufRead, number: u64) -> Result<Option<(Vec<u8>, bool)>, Fault> {
    loop {
        let mut bytes = Vec::new();
        if file.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.len() as u64 >= LINE_MAX {
            return Err(Fault::Long(number));
        }
        let whole = bytes.ends_with(b"\n");
        while matches!(bytes.last(), Some(b'\r' | b'\n')) {
            bytes.pop();
        }
        if !bytes.is_empty() {
            return Ok(Some((bytes, whole)));
        }
    }
}

fn check_format(first: &str) -> Result<(), Fault> {
    if first.starts_with("sequence,") {
        return Err(Fault::Format("the trail as CSV, without the hashes"));
    }
    if first.starts_with("{\"data\":") {
        return Err(Fault::Format("a page of the trail as JSON"));
    }
    Ok(())
}

/// Reads the rest of the file to tell missing lines from reordered ones.
fn misplaced(rest: &mut impl BufRead, line: u64, found: u64) -> Fault {
    if found < line {
        return Fault::Repeated { line, found };
    }
    let wanted = format!("{{\"sequence\":{line},");
    while let Ok(Some((bytes, _))) = next_line(rest, line) {
        if bytes.starts_with(wanted.as_bytes()) {
            return Fault::OutOfOrder { line, found };
        }
    }
    Fault::Missing { line, until: found - 1 }
}

#[cfg(test)]
mod tests;
