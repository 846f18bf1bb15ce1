//! Streaming parser and validator for export files; it trusts nothing in the file.

use super::{ExportHeader, ExportLine, FORMAT, KeyFacts, LINE_MAX, LineHash};
use crate::{
    audit::{Action, Chain, seal},
    failure::Failure,
    keyring::Keyring,
    locator::KeyNumber,
    vault::registry::OUTAGE_MAX,
};

/// The error for an invalid line of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct BadLine {
    /// Line number, from 1.
    pub line: u64,
    /// Cause and remedy, in full sentences for people.
    pub message: String,
}

impl From<BadLine> for Failure {
    fn from(bad: BadLine) -> Self {
        Self::field(&format!("line {}", bad.line), bad.message)
    }
}

/// Reads the lines of a file in order, in bounded memory.
pub struct Reader<'a> {
    keyring: &'a Keyring,
    workspace: u32,
    hash: LineHash,
    header: Option<ExportHeader>,
    last_key: u32,
    trail: Chain,
    last_action: Option<Action>,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// Creates a reader for the workspace with this number.
    pub fn new(keyring: &'a Keyring, workspace: u32) -> Self {
        Self {
            keyring,
            workspace,
            hash: LineHash::default(),
            header: None,
            last_key: 0,
            trail: Chain::default(),
            last_action: None,
            ended: false,
        }
    }

    /// Parses and validates the next line, without its line feed.
    ///
    /// # Errors
    ///
    /// Returns the line at fault.
    pub fn take(&mut self, text: &str) -> Result<ExportLine, BadLine> {
        let line = self.hash.lines + 1;
        let entry = self.check(text).map_err(|message| BadLine { line, message })?;
        self.hash.add(text);
        Ok(entry)
    }

    /// Ends the file. Callers must discard everything that they read if this fails.
    ///
    /// # Errors
    ///
    /// Fails if the last line is missing.
    pub fn finish(self) -> Result<ExportHeader, BadLine> {
        let line = self.hash.lines + 1;
        match self.header.filter(|_| self.ended) {
            Some(header) => Ok(header),
            None => Err(BadLine { line, message: "The file ends before its last line: it was cut.".into() }),
        }
    }

    fn check(&mut self, text: &str) -> Result<ExportLine, String> {
        if text.len() > LINE_MAX {
            return Err(format!("This is longer than any line of an export, {LINE_MAX} bytes."));
        }
        if self.ended {
            return Err("The line before says that it is the last.".into());
        }
        let entry: ExportLine = serde_json::from_str(text).map_err(|_| "This is no line of an export.".to_owned())?;
        // The same state gives the same bytes, so an export never writes a line in another form.
        if entry.write() != text {
            return Err("This line was not written by an export.".into());
        }
        match (&entry, self.header.as_ref().map(|header| header.last_key)) {
            (ExportLine::Export(header), None) => {
                self.check_header(header)?;
                self.header = Some(header.clone());
            }
            (_, None) => return Err("An export begins with the workspace.".into()),
            (ExportLine::Export(_), _) => return Err("The workspace stands there once, in the first line.".into()),
            (ExportLine::Key(_), _) if self.trail.count() > 0 => {
                return Err("A key cannot stand after the audit trail.".into());
            }
            (ExportLine::Key(key), Some(last_key)) => self.check_key(key, last_key)?,
            (ExportLine::Line(trail), _) => {
                let line = self.trail.take(trail.get()).map_err(|flaw| format!("In the audit trail, {flaw}."))?;
                if seal(&line).0 != trail.get() {
                    return Err("This line of the audit trail is written in a way in which it is never kept.".into());
                }
                self.last_action = Some(line.action);
            }
            (ExportLine::End(trailer), _) => {
                if *trailer != self.hash.trailer() {
                    return Err("The file is not whole: number or hash of its lines do not fit.".into());
                }
                if self.last_action.is_some_and(|action| !action.is_change()) {
                    return Err("The audit trail of an export ends with a change.".into());
                }
                self.ended = true;
            }
        }
        Ok(entry)
    }

    fn check_header(&self, header: &ExportHeader) -> Result<(), String> {
        if header.format != FORMAT {
            return Err(format!("The file has format {}; this version reads format {FORMAT}.", header.format));
        }
        if header.workspace != self.workspace {
            return Err(format!(
                "The file is of workspace {}, and this is workspace {}. The number stands in every key, so its keys \
                 would not work here.",
                header.workspace, self.workspace
            ));
        }
        if header.version == 0 || header.outage_seconds > OUTAGE_MAX || header.name.is_empty() {
            return Err("No workspace has such settings.".into());
        }
        Ok(())
    }

    fn check_key(&mut self, key: &KeyFacts, last_key: u32) -> Result<(), String> {
        if key.number <= self.last_key || key.number > last_key {
            return Err("Keys stand in the order of their numbers, up to the last one that was given.".into());
        }
        let address = KeyNumber { workspace: self.workspace, number: key.number };
        if key.locator.open(self.keyring, key.environment) != Some(address) {
            return Err("The key was not made under a master secret of this deployment, or under another number: it could not work.".into());
        }
        if let Err(failure) = key.details().check() {
            let named = match failure {
                Failure::Invalid { errors } => errors.into_iter().next(),
                _ => None,
            };
            let named = named.map(|error| format!(" {}: {}", error.field, error.message)).unwrap_or_default();
            return Err(format!("No key can be like this.{named}"));
        }
        let in_order = key.secrets.is_sorted_by(|before, after| before.number < after.number);
        if key.version == 0 || key.secrets.is_empty() || !in_order {
            return Err("No key has such a version or such secrets.".into());
        }
        self.last_key = key.number;
        Ok(())
    }
}
