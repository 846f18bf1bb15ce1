//! The first record layout. It is read while a store may still hold one; nothing writes it.
//!
//! It has no sealing time and therefore never authorizes a request. It holds its place until the
//! vault seals a new record.

use super::{Record, RecordSecret, Workspace, bits};
use crate::{
    digest::KeyDigest, environment::Environment, limit::Limits, locator::Locator, network::Networks, scope::ScopeSet,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Number of the layout.
pub const LAYOUT: u8 = 1;

#[derive(Serialize, Deserialize)]
pub struct FirstRecord {
    locator: Locator,
    workspace: u32,
    environment: Environment,
    version: u64,
    name: String,
    active: bool,
    deleted: bool,
    #[serde(with = "bits")]
    scopes: ScopeSet,
    expires_at: Option<Timestamp>,
    secrets: Vec<FirstSecret>,
}

#[derive(Serialize, Deserialize)]
struct FirstSecret {
    master: u16,
    digest: KeyDigest,
}

impl From<FirstRecord> for Record {
    fn from(first: FirstRecord) -> Self {
        let secrets = (1..).zip(first.secrets).map(|(number, secret)| RecordSecret {
            number,
            master: secret.master,
            digest: secret.digest,
            ends_at: None,
        });
        Self {
            locator: first.locator,
            workspace: Workspace { number: first.workspace, version: 1, suspended: false, outage_seconds: 0 },
            environment: first.environment,
            version: first.version,
            sealed_at: Timestamp::from_millis(i64::MIN),
            name: first.name,
            active: first.active,
            deleted: first.deleted,
            scopes: first.scopes,
            not_before: None,
            expires_at: first.expires_at,
            networks: Networks::default(),
            channels: Vec::new(),
            limits: Limits::default(),
            metadata: Vec::new(),
            secrets: secrets.collect(),
        }
    }
}
