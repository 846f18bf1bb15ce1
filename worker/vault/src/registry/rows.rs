//! A key as the database stores it, mapped to domain values.
//!
//! All SQL on a key is below: [`keys`] and [`secrets`] hold the statements on their tables.

pub mod keys;
pub mod secrets;

pub use keys::{find, scope_bits};

use crate::database::{Database, DatabaseError, DatabaseResult, SqlRow, SqlValue};
use ownchat_domain::{
    account::PersonId,
    key::{Details, Facts, Key, KeySecret, RESTORE_WITHIN, Restrictions, state},
    limit::Limits,
    locator::Locator,
    network::Networks,
    record::{Record, RecordSecret, Workspace},
    role::TargetKey,
    scope::ScopeSet,
    text::fold,
    time::Timestamp,
    token::prefix,
};
use serde::{Serialize, de::DeserializeOwned};

/// Columns of a key, in the order of [`KeyRow::read`] and [`KeyRow::values`].
const COLUMNS: &str = "number, locator, environment, name, description, integration, scopes, not_before, \
     expires_at, restrictions, limits, metadata, active, reason, created_at, created_by, updated_at, version, deleted_at, \
     owner";

/// A key with its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Number within the workspace.
    pub number: i64,
    /// Public id.
    pub locator: Locator,
    /// Facts that admins set.
    pub details: Details,
    /// False once deactivated.
    pub active: bool,
    /// Reason given at deactivation.
    pub reason: Option<String>,
    pub created_at: Timestamp,
    /// Name of the creator.
    pub created_by: String,
    pub updated_at: Timestamp,
    /// Increases with every change.
    pub version: u64,
    pub deleted_at: Option<Timestamp>,
    /// Owner: the creator, if a person and known.
    pub owner: Option<PersonId>,
    /// Secrets, oldest first.
    pub secrets: Vec<KeySecret>,
}

impl KeyRow {
    /// Reads the columns of [`COLUMNS`], then [`secrets::SHOWN`].
    fn read(mut row: SqlRow) -> DatabaseResult<Self> {
        let number = row.integer()?;
        let locator = row.text()?.parse().map_err(|_| DatabaseError("not a locator".into()))?;
        let environment = row.text()?.parse().map_err(|()| DatabaseError("not an environment".into()))?;
        let (name, description, integration) = (row.text()?, row.text()?, row.text()?);
        let scopes = u64::try_from(row.integer()?)
            .ok()
            .and_then(ScopeSet::from_bits)
            .ok_or_else(|| DatabaseError("an unknown scope".into()))?;
        let (not_before, expires_at) = (moment(row.optional_integer()?), moment(row.optional_integer()?));
        let restrictions: Restrictions = from_json(&row.text()?)?;
        let limits: Limits = from_json(&row.text()?)?;
        let metadata = from_json(&row.text()?)?;
        Ok(Self {
            number,
            locator,
            details: Details {
                name,
                description,
                integration,
                environment,
                scopes,
                not_before,
                expires_at,
                networks: Networks { allow: restrictions.allow, deny: restrictions.deny },
                channels: restrictions.channels,
                limits,
                metadata,
            },
            active: row.integer()? != 0,
            reason: row.optional_text()?,
            created_at: Timestamp::from_millis(row.integer()?),
            created_by: row.text()?,
            updated_at: Timestamp::from_millis(row.integer()?),
            version: u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative version".into()))?,
            deleted_at: moment(row.optional_integer()?),
            owner: row.optional_text()?.and_then(|person| person.parse().ok()),
            secrets: secrets::read_shown(&row.text()?)?,
        })
    }

    /// Returns the values of [`COLUMNS`], then that of `searched`, which is derived.
    fn values(&self) -> DatabaseResult<Vec<SqlValue>> {
        let details = &self.details;
        Ok(vec![
            self.number.into(),
            self.locator.to_string().into(),
            details.environment.as_str().into(),
            details.name.as_str().into(),
            details.description.as_str().into(),
            details.integration.as_str().into(),
            scope_bits(details.scopes),
            details.not_before.map(Timestamp::millis).into(),
            details.expires_at.map(Timestamp::millis).into(),
            to_json(&self.restrictions())?.into(),
            to_json(&details.limits)?.into(),
            to_json(&details.metadata)?.into(),
            self.active.into(),
            self.reason.clone().into(),
            time(self.created_at),
            self.created_by.as_str().into(),
            time(self.updated_at),
            i64::try_from(self.version).unwrap_or(i64::MAX).into(),
            self.deleted_at.map(Timestamp::millis).into(),
            self.owner.map(|owner| owner.to_string()).into(),
            search_text(&details.name, &details.description, &self.locator.to_string()).into(),
        ])
    }

    /// Returns the subject of authorization.
    pub const fn subject(&self) -> TargetKey {
        TargetKey { id: self.locator, owner: self.owner }
    }

    /// Returns the key as the API shows it at `now`.
    pub fn to_key(&self, now: Timestamp) -> Key {
        let details = &self.details;
        let facts = Facts {
            deleted: self.deleted_at.is_some(),
            active: self.active,
            not_before: details.not_before,
            expires_at: details.expires_at,
        };
        let (status, reason) = state(facts, now);
        Key {
            id: self.locator,
            name: details.name.clone(),
            description: details.description.clone(),
            integration: details.integration.clone(),
            environment: details.environment,
            scopes: details.scopes,
            status,
            reason,
            reason_text: self.reason.clone(),
            prefix: prefix(details.environment, self.locator),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            updated_at: self.updated_at,
            version: self.version,
            not_before: details.not_before,
            expires_at: details.expires_at,
            last_used_at: None,
            restore_until: self.deleted_at.map(|deleted_at| deleted_at.plus(RESTORE_WITHIN)),
            restrictions: self.restrictions(),
            rate_limit: details.limits.rate,
            quota: details.limits.quota.map(Into::into),
            secrets: self.secrets.clone(),
            metadata: details.metadata.clone(),
        }
    }

    /// Returns the next version of the key, with every secret ending at `end` or earlier.
    pub fn with_secrets_ending_by(&self, end: Timestamp, now: Timestamp) -> Self {
        let mut after = Self { version: self.version + 1, updated_at: now, ..self.clone() };
        for secret in &mut after.secrets {
            secret.ends_at = Some(secret.ends_at.map_or(end, |was| was.min(end)));
        }
        after
    }

    fn restrictions(&self) -> Restrictions {
        Restrictions {
            allow: self.details.networks.allow.clone(),
            deny: self.details.networks.deny.clone(),
            channels: self.details.channels.clone(),
        }
    }
}

/// Returns the text in which a search looks for words: the id on the first line, then name and
/// description, folded.
fn search_text(name: &str, description: &str, locator: &str) -> String {
    // No search word contains a line break.
    [locator, name, description].map(fold).join("\n")
}

fn moment(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

fn from_json<T: DeserializeOwned>(text: &str) -> DatabaseResult<T> {
    serde_json::from_str(text).map_err(|error| DatabaseError(error.to_string()))
}

fn to_json(value: &impl Serialize) -> DatabaseResult<String> {
    serde_json::to_string(value).map_err(|error| DatabaseError(error.to_string()))
}

/// Encodes a time in milliseconds.
pub fn time(moment: Timestamp) -> SqlValue {
    SqlValue::Integer(moment.millis())
}

/// Reads the record of a key for the edge, deleted or not. `None` if the key never existed.
pub fn record(database: &impl Database, locator: Locator, now: Timestamp) -> DatabaseResult<Option<Record>> {
    let Some(row) = find(database, locator)? else { return Ok(None) };
    let secrets = secrets::of_key(database, row.number)?.into_iter().map(|secret| RecordSecret {
        number: secret.number,
        master: secret.master,
        digest: secret.digest,
        ends_at: secret.ends_at,
    });
    let details = row.details;
    Ok(Some(Record {
        locator,
        workspace: workspace(database)?,
        environment: details.environment,
        version: row.version,
        sealed_at: now,
        name: details.name,
        active: row.active,
        deleted: row.deleted_at.is_some(),
        scopes: details.scopes,
        not_before: details.not_before,
        expires_at: details.expires_at,
        networks: details.networks,
        channels: details.channels,
        limits: details.limits,
        metadata: details.metadata.into_iter().collect(),
        secrets: secrets.collect(),
    }))
}

/// Reads the part of a record that holds for the whole workspace.
pub fn workspace(database: &impl Database) -> DatabaseResult<Workspace> {
    let mut row = database
        .first("SELECT number, version, suspended, outage_seconds FROM workspace", &[])?
        .ok_or_else(|| DatabaseError("no workspace".into()))?;
    let wrong = |_| DatabaseError("a number out of range".into());
    Ok(Workspace {
        number: u32::try_from(row.integer()?).map_err(wrong)?,
        version: u64::try_from(row.integer()?).map_err(wrong)?,
        suspended: row.integer()? != 0,
        outage_seconds: u32::try_from(row.integer()?).map_err(wrong)?,
    })
}

#[cfg(test)]
mod tests;
