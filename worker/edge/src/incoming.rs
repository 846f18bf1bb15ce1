//! A call as it came in: the few texts of it that decide.

use crate::credential::{self, Credential};
use std::net::IpAddr;

/// What is looked at of a call.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Its method, as it was sent.
    pub method: String,
    /// Its path and query, as the platform writes them.
    pub target: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `X-API-Key`.
    pub api_key: Option<String>,
    /// The caller's address. The platform sets its header and overwrites what a caller sends.
    pub address: Option<IpAddr>,
    /// The body where it decides, which is at `/v1/verify` alone; nothing if it is larger than a body may be.
    pub body: Option<String>,
}

/// The header in which the platform tells the caller's address.
pub const ADDRESS: &str = "cf-connecting-ip";

impl Incoming {
    /// Takes the texts of a call.
    pub fn new(
        method: String,
        target: String,
        authorization: Option<String>,
        api_key: Option<String>,
        address: Option<String>,
        body: Option<String>,
    ) -> Self {
        let address = address.and_then(|text| text.parse().ok());
        Self { method, target, authorization, api_key, address, body }
    }

    /// Its path, without a query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The key that it carries.
    pub fn credential(&self) -> Credential {
        credential::read(self.authorization.as_deref(), self.api_key.as_deref())
    }
}
