//! Rows of the key table, as values of the domain.

use crate::database::{Database, DatabaseError, Row, Stored, Value};
use ownchat_domain::{
    digest::KeyDigest,
    key::{Key, state},
    locator::Locator,
    record::{Record, RecordSecret},
    scope::ScopeSet,
    time::Timestamp,
    token::{Environment, prefix},
};

/// The columns that [`KeyRow::read`] expects, in their order.
pub const COLUMNS: &str = "number, locator, environment, name, description, scopes, active, expires_at, \
     created_at, created_by, updated_at, version, deleted_at";

/// One row of the key table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Number within the workspace.
    pub number: i64,
    /// Public name.
    pub locator: Locator,
    /// Which world it opens.
    pub environment: Environment,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Whether it has not been deactivated.
    pub active: bool,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Name of who made it.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts its changes.
    pub version: u64,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

impl KeyRow {
    /// Reads the columns of [`COLUMNS`].
    pub fn read(mut row: Row) -> Stored<Self> {
        Ok(Self {
            number: row.integer()?,
            locator: row.text()?.parse().map_err(|_| DatabaseError("not a locator".into()))?,
            environment: row.text()?.parse().map_err(|()| DatabaseError("not an environment".into()))?,
            name: row.text()?,
            description: row.text()?,
            scopes: u64::try_from(row.integer()?)
                .ok()
                .and_then(ScopeSet::from_bits)
                .ok_or_else(|| DatabaseError("an unknown scope".into()))?,
            active: row.integer()? != 0,
            expires_at: row.optional_integer()?.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.integer()?),
            created_by: row.text()?,
            updated_at: Timestamp::from_millis(row.integer()?),
            version: u64::try_from(row.integer()?).map_err(|_| DatabaseError("a negative version".into()))?,
            deleted_at: row.optional_integer()?.map(Timestamp::from_millis),
        })
    }

    /// The key as admins see it at `now`.
    pub fn shown(&self, now: Timestamp) -> Key {
        let (status, reason) = state(self.active, self.expires_at, now);
        Key {
            id: self.locator,
            name: self.name.clone(),
            description: self.description.clone(),
            environment: self.environment,
            scopes: self.scopes,
            status,
            reason,
            prefix: prefix(self.environment, self.locator),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            updated_at: self.updated_at,
            version: self.version,
            expires_at: self.expires_at,
        }
    }
}

/// The bits of a set of scopes, for the store.
pub fn scope_bits(scopes: ScopeSet) -> Value {
    Value::Integer(i64::try_from(scopes.bits()).unwrap_or(i64::MAX))
}

/// A time, for the store.
pub fn time(moment: Timestamp) -> Value {
    Value::Integer(moment.millis())
}

/// What the edge must know of a key, deleted ones included; none if there never was one.
pub fn record(database: &impl Database, workspace: u32, locator: Locator) -> Stored<Option<Record>> {
    let found = database
        .first(&format!("SELECT {COLUMNS} FROM keys WHERE locator = ?"), &[locator.to_string().into()])?
        .map(KeyRow::read)
        .transpose()?;
    let Some(row) = found else { return Ok(None) };
    let secrets = database
        .run("SELECT master, digest FROM secrets WHERE key = ? ORDER BY created_at", &[row.number.into()])?
        .into_iter()
        .map(|mut secret| {
            Ok(RecordSecret {
                master: u16::try_from(secret.integer()?).map_err(|_| DatabaseError("not a master id".into()))?,
                digest: KeyDigest::from_bytes(secret.bytes()?),
            })
        })
        .collect::<Stored<Vec<_>>>()?;
    Ok(Some(Record {
        locator,
        workspace,
        environment: row.environment,
        version: row.version,
        name: row.name,
        active: row.active,
        deleted: row.deleted_at.is_some(),
        scopes: row.scopes,
        expires_at: row.expires_at,
        secrets,
    }))
}
