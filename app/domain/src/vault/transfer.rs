//! Commands to a workspace's object for export and import ([`crate::transfer`]).

use super::Origin;
use serde::{Deserialize, Serialize};

/// Reads the next part of an export. Requires `account:write`, `keys:read` and `audit:read`; of the
/// roles, only owners hold them all.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadExport {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Cursor from the previous part; `None` for the first, which the audit trail records.
    pub after: Option<ExportCursor>,
}

/// A position in an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCursor {
    /// Number of the last change that the export holds. After another change its parts no longer
    /// match.
    pub until: u64,
    /// Number of the last key read; `None` once all keys were read.
    pub key: Option<u32>,
    /// Number of the last audit trail entry read.
    pub line: u64,
}

/// Lines of an export without the last one, the [trailer](crate::transfer::Trailer).
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportPart {
    /// The lines.
    pub lines: Vec<String>,
    /// Cursor of the next part; `None` after the last.
    pub next: Option<ExportCursor>,
}

command!(ReadExport, "read-export", ExportPart, origin.caller);

/// Stages lines of a file for [`FinishImport`]. Requires the rights of [`ReadExport`] and a
/// workspace without any history.
#[derive(Debug, Serialize, Deserialize)]
pub struct StageImport {
    /// Caller, client IP address and request id.
    pub origin: Origin,
    /// Number of the first of these lines. 1 restarts the import; other numbers continue it.
    pub first: u64,
    /// The lines, without their line feeds.
    pub lines: Vec<String>,
}

command!(StageImport, "stage-import", (), origin.caller);

/// Imports the staged lines into the workspace: all or nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct FinishImport {
    /// Caller, client IP address and request id.
    pub origin: Origin,
}

/// Counts of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Number of keys, including deleted ones.
    pub keys: u64,
    /// Number of audit trail entries.
    pub trail: u64,
}

command!(FinishImport, "finish-import", Imported, origin.caller);
