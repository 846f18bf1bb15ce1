//! Exports the workspace as a file, and imports such a file.

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

/// Stages lines of an import. `first` is the number of the first of them.
pub async fn stage(visitor: &Visitor, first: u64, lines: Vec<String>) -> Result<(), Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &StageImport { origin: origin(visitor, caller), first, lines }).await
}

/// Imports the staged lines into the workspace.
pub async fn finish(visitor: &Visitor) -> Result<Imported, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &FinishImport { origin: origin(visitor, caller) }).await
}
