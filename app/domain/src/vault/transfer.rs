//! Questions to the object of a workspace about the workspace as a file ([`crate::transfer`]).

use super::{Call, Origin};
use serde::{Deserialize, Serialize};

/// Asks for the next lines of an export. For owners.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadExport {
    /// Who asks, from where.
    pub origin: Origin,
    /// Where the part before ended, as it said itself; none for the beginning, which is noted in the trail.
    pub after: Option<Place>,
}

/// A place in an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Number of the last change that is in it. Once there is another one, the parts do not fit together any more.
    pub until: u64,
    /// Number of the last key that was read; none once all were.
    pub key: Option<u32>,
    /// Number of the last line of the trail that was read.
    pub line: u64,
}

/// Lines of an export, without the last one, which sums up all of them ([`crate::transfer::Sum`]).
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportPart {
    /// The lines.
    pub lines: Vec<String>,
    /// What to ask for the next part; none if there is none.
    pub next: Option<Place>,
}

impl Call for ReadExport {
    type Answer = ExportPart;
    const NAME: &'static str = "read-export";
}

/// Puts lines of a file aside, to be read in by [`FinishImport`]. For owners of a workspace in which nothing was
/// ever done.
#[derive(Debug, Serialize, Deserialize)]
pub struct StageImport {
    /// Who asks, from where.
    pub origin: Origin,
    /// Number of the first of these lines. 1 begins anew; everything else follows the lines before.
    pub first: u64,
    /// The lines, without their ends.
    pub lines: Vec<String>,
}

impl Call for StageImport {
    type Answer = ();
    const NAME: &'static str = "stage-import";
}

/// Fills the workspace from the lines that were put aside: all or nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct FinishImport {
    /// Who asks, from where.
    pub origin: Origin,
}

/// What was read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Keys, deleted ones too.
    pub keys: u64,
    /// Lines of the audit trail.
    pub trail: u64,
}

impl Call for FinishImport {
    type Answer = Imported;
    const NAME: &'static str = "finish-import";
}
