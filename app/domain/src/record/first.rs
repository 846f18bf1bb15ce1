//! The first layout of a record. It is read as long as one may lie in a store; nothing writes it.
//!
//! It does not say when it was sealed, so it never decides: it only keeps its place until the truth is asked.

use super::{RecordSecret, Workspace, bits};
use crate::{
    digest::KeyDigest, limit::Limits, locator::Locator, network::Networks, scope::ScopeSet, time::Timestamp,
    token::Environment,
};
use serde::{Deserialize, Serialize};

/// Number of the layout.
pub const LAYOUT: u8 = 1;

#[derive(Serialize, Deserialize)]
pub struct Record {
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
    secrets: Vec<Secret>,
}

#[derive(Serialize, Deserialize)]
struct Secret {
    master: u16,
    digest: KeyDigest,
}

impl From<Record> for super::Record {
    fn from(first: Record) -> Self {
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
