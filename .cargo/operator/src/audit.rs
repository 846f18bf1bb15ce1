//! Checks an audit trail that was handed out as NDJSON (`GET /api/v1/audit?format=ndjson`, all pages one after
//! the other, without filters).

use ownchat_domain::audit::{Chain, Flaw};
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

/// Longest line that is read, in bytes: far more than any line of a trail has.
const LINE_MAX: u64 = 1024 * 1024;

/// What a good trail says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    lines: u64,
    first: String,
    last: String,
    head: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "good: the chain holds")?;
        writeln!(f, "lines  {}", self.lines)?;
        writeln!(f, "first  {}", self.first)?;
        writeln!(f, "last   {}", self.last)?;
        writeln!(f, "head   {}", self.head)
    }
}

/// Why a file is not a good trail.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("this is {0}, which cannot be verified; ask for the trail with format=ndjson")]
    Format(&'static str),
    /// There is nothing in it.
    #[error("the file holds no line")]
    Empty,
    /// It ends within a line.
    #[error("bad: line {0} is cut: the file ends inside it")]
    Cut(u64),
    /// A line is longer than any that was ever written.
    #[error("bad: line {0} is longer than any line of an audit trail")]
    Long(u64),
    /// Lines are gone.
    #[error("bad: at line {line} of the file the lines with the numbers {line} to {until} are missing")]
    Missing {
        /// Where the first of them should stand.
        line: u64,
        /// The last of them.
        until: u64,
    },
    /// Lines stand in another order.
    #[error("bad: line {line} is out of order: it has the number {found}, and number {line} stands further below")]
    OutOfOrder {
        /// Where it stands.
        line: u64,
        /// The number that it has.
        found: u64,
    },
    /// A line stands there once more.
    #[error("bad: line {line} is out of order: it has the number {found}, which was there before")]
    Repeated {
        /// Where it stands.
        line: u64,
        /// The number that it has.
        found: u64,
    },
    /// Something else is wrong with a line.
    #[error("bad: {0}")]
    Flaw(Flaw),
    /// The chain holds and ends elsewhere.
    #[error(
        "bad: the chain holds, and its last line, number {lines}, has the hash {found} instead of {wanted}: lines \
         are missing at the end, or the whole trail was written anew"
    )]
    Head {
        /// How many lines there are.
        lines: u64,
        /// Hash of the last.
        found: String,
        /// The hash that it should have.
        wanted: String,
    },
}

/// Checks a file. `head` is the hash that its last line must have.
pub fn verify(file: &str, head: Option<&str>) -> Result<Report, Fault> {
    examine(&mut BufReader::new(File::open(file)?), head)
}

fn examine(file: &mut impl BufRead, head: Option<&str>) -> Result<Report, Fault> {
    let mut chain = Chain::default();
    let mut times: Option<(String, String)> = None;
    while let Some((bytes, whole)) = next_line(file, chain.count() + 1)? {
        let text = String::from_utf8_lossy(&bytes);
        if chain.count() == 0 {
            check_format(&text)?;
        }
        match chain.take(&text) {
            // What stands here for bytes that are no UTF-8 may have stood there itself, and then the hash fits.
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
    let report = Report { lines: chain.count(), first, last, head: chain.head().to_owned() };
    match head.filter(|head| !head.eq_ignore_ascii_case(&report.head)) {
        Some(wanted) => Err(Fault::Head { lines: report.lines, found: report.head, wanted: wanted.to_owned() }),
        None => Ok(report),
    }
}

/// The next line that is not empty, without its end, and whether it has an end.
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

/// Whether lines are gone or only stand elsewhere shows in the rest of the file.
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
