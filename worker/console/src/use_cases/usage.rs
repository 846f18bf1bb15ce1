//! Reports the usage of keys.

use super::caller::{ask, authenticate};
use crate::{request_context::RequestContext, vault};
use ownchat_domain::{
    failure::Failure,
    locator::Locator,
    usage::Report,
    vault::{
        Object, Origin,
        registry::{ReadKey, ReadSettings},
        usage::{ReadUsage, UsageQuery},
    },
};

/// Reports the usage of one key, or of all keys of the workspace.
pub async fn read(context: &RequestContext, key: Option<Locator>, query: UsageQuery) -> Result<Report, Failure> {
    let (Origin { caller, .. }, workspace) = authenticate(context).await?;
    // The registry authorises the caller. The usage object knows neither callers nor deletions.
    match key {
        Some(id) => ask(context, workspace, &ReadKey { caller, id }).await.map(drop)?,
        None => ask(context, workspace, &ReadSettings { caller }).await.map(drop)?,
    }
    let series = vault::ask(context, Object::Usage(workspace), &ReadUsage { key, query }).await?;
    Ok(Report::from(&series))
}
