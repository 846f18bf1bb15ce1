//! The workspace as a file.

use super::caller::{ask, caller, origin};
use crate::visitor::Visitor;
use ownchat_domain::{
    failure::Failure,
    vault::transfer::{ExportPart, FinishImport, Imported, Place, ReadExport, StageImport},
};

/// Reads the next part of an export.
pub async fn export_part(visitor: &Visitor, after: Option<Place>) -> Result<ExportPart, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadExport { origin: origin(visitor, caller), after }).await
}

/// Puts lines of a file aside; the first of them has the number `first`.
pub async fn stage(visitor: &Visitor, first: u64, lines: Vec<String>) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &StageImport { origin: origin(visitor, caller), first, lines }).await
}

/// Fills the workspace from the lines that were put aside.
pub async fn finish(visitor: &Visitor) -> Result<Imported, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &FinishImport { origin: origin(visitor, caller) }).await
}
