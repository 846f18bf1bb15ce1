//! Use cases on the workspace: settings, master secrets, audit trail.

use super::caller::{ask, caller, origin};
use crate::visitor::Visitor;
use ownchat_domain::{
    audit::Line,
    failure::Failure,
    locator::Locator,
    time::Timestamp,
    vault::{
        masters::{Masters, ReadMasters},
        registry::{ChangeSettings, ChangedSettings, ReadSettings, ReadTrail, Settings, TrailPage, TrailQuery},
    },
};
use serde::Deserialize;

/// Reads the settings.
pub async fn settings(visitor: &Visitor) -> Result<Settings, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadSettings { caller }).await
}

/// Changes to the settings, as a merge patch (RFC 7396).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsPatch {
    /// True to refuse all keys.
    pub suspended: Option<bool>,
    /// Seconds for which cached keys stay valid while the revocation feed cannot be read.
    pub outage_seconds: Option<u32>,
    /// Reason, for the audit trail.
    pub reason: Option<String>,
}

/// Changes the settings, given the version that the caller last read.
pub async fn change_settings(
    visitor: &Visitor,
    version: u64,
    patch: SettingsPatch,
) -> Result<ChangedSettings, Failure> {
    let (caller, registry) = caller(visitor).await?;
    let SettingsPatch { suspended, outage_seconds, reason } = patch;
    let call = ChangeSettings { origin: origin(visitor, caller), version, suspended, outage_seconds, reason };
    ask(visitor, registry, &call).await
}

/// Reports the workspace's remaining uses of each master secret.
pub async fn masters(visitor: &Visitor) -> Result<Masters, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadMasters { caller }).await
}

/// Reads a page of the audit trail.
pub async fn trail(visitor: &Visitor, query: TrailQuery) -> Result<TrailPage, Failure> {
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ReadTrail { caller, query }).await
}

/// Returns the name of the actor who changed a key at this time, if the caller may know.
pub async fn editor(visitor: &Visitor, key: Locator, at: Timestamp) -> Result<Option<String>, Failure> {
    let query = TrailQuery { key: Some(key), from: Some(at), ..TrailQuery::default() };
    let page = match trail(visitor, query).await {
        Err(Failure::Forbidden | Failure::ScopeMissing { .. } | Failure::NotFound) => return Ok(None),
        page => page?,
    };
    let mut lines = page.lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    Ok(lines.rfind(|line| line.at == at.into()).map(|line| line.actor_name))
}
