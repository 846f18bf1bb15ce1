//! Plain values of a check: the key and its purpose, the requirements of the request, the decision.
//! The order of the checks stands in `app/domain/src/checks.rs`.

use ownchat_domain::{
    checks::AccessRequest,
    digest::{Fingerprint, SecretHash},
    locator::{KeyNumber, Locator},
    meter::LimitState,
    record::Record,
    scope::ScopeSet,
    verdict::Denial,
};
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
    net::IpAddr,
    rc::Rc,
};

/// The check of a key, and the purpose of its decision.
#[derive(Debug)]
pub struct KeyCheck<'a> {
    /// The key as the caller sent it.
    pub key: Cow<'a, str>,
    /// Purpose of the decision.
    pub purpose: Purpose,
    /// Scopes that the request needs.
    pub required: ScopeSet,
    /// Channel that the request is about.
    pub channel: Option<Cow<'a, str>>,
    /// IP address that the key's networks are matched against.
    pub source_ip: Option<IpAddr>,
    /// IP address of the client itself.
    pub client_ip: Option<IpAddr>,
    /// Permits that the request takes of each limit.
    pub cost: u32,
    /// The only workspace whose keys exist for the caller; none for all.
    pub workspace: Option<u32>,
}

/// The purpose of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Report to a service, or another caller, that was handed the key.
    Verify,
    /// Authorize the holder of a key to verify another key.
    VerifyCaller,
    /// Describe a key to its holder.
    OwnKey,
    /// Forward the request to a service.
    Gateway,
}

impl KeyCheck<'_> {
    /// Returns the requirements that the key must meet.
    pub fn requirements(&self) -> Requirements<'_> {
        let request =
            AccessRequest { required: self.required, channel: self.channel.as_deref(), address: self.source_ip };
        Requirements { request, cost: self.cost, client_ip: self.client_ip }
    }

    /// Returns the workspace whose keys the caller may verify, if this was the check of a caller
    /// and passed.
    pub fn authorized_workspace(&self, decision: &Decision) -> Option<u32> {
        let record =
            decision.record.as_ref().filter(|_| self.purpose == Purpose::VerifyCaller && decision.verdict.is_ok());
        record.map(|record| record.workspace.number)
    }

    /// Returns true if the request is forwarded to a service, whose response is not known yet.
    pub fn is_forwarded(&self, decision: &Decision) -> bool {
        self.purpose == Purpose::Gateway && decision.verdict.is_ok() && decision.record.is_some()
    }
}

/// A key whose tag proves that we issued it. Its state is not known yet.
#[derive(Clone, Copy, Debug)]
pub struct PresentedKey {
    /// Its public name.
    pub locator: Locator,
    /// Workspace and number that its locator holds.
    pub key_number: KeyNumber,
    /// Fingerprint of the whole key.
    pub fingerprint: Fingerprint,
    /// Hash of its secret.
    pub hash: SecretHash,
}

/// Requirements of a request that its key must meet.
#[derive(Clone, Copy, Debug)]
pub struct Requirements<'a> {
    /// Scopes, channel and IP address of the request.
    pub request: AccessRequest<'a>,
    /// Permits that it costs.
    pub cost: u32,
    /// IP address of the client itself, not of the request that it verifies.
    pub client_ip: Option<IpAddr>,
}

/// The decision about a request.
#[derive(Debug)]
pub struct Decision {
    /// The key's record if the secret matched, whatever the verdict.
    pub record: Option<Rc<Record>>,
    /// Number of the secret that matched, if the request may pass.
    pub secret: Option<u32>,
    /// Values that were derived from the record before.
    pub derived: Rc<Derived>,
    /// Standing of the key's limits, as far as it is known.
    pub standing: LimitState,
    /// Lease of the last permit spent, if one was.
    pub lease: Option<u64>,
    /// The verdict: passed, or the reason for the denial.
    pub verdict: Result<(), Denial>,
}

impl Decision {
    /// Creates the denial of an unknown or malformed key.
    pub fn refused(denial: Denial) -> Self {
        let derived = Rc::default();
        let standing = LimitState::default();
        Self { record: None, secret: None, derived, standing, lease: None, verdict: Err(denial) }
    }

    /// Returns true if the key has limits.
    pub fn is_limited(&self) -> bool {
        self.record.as_ref().is_some_and(|record| !record.limits.is_empty())
    }

    /// Creates the denial of a key whose secret matched.
    pub fn denied(record: Rc<Record>, standing: LimitState, denial: Denial) -> Self {
        Self { record: Some(record), standing, ..Self::refused(denial) }
    }

    /// Creates the decision that a request may pass.
    pub fn passed(record: Rc<Record>, secret: u32, derived: Rc<Derived>, standing: LimitState) -> Self {
        Self { record: Some(record), secret: Some(secret), derived, standing, lease: None, verdict: Ok(()) }
    }
}

/// Values derived from a record, cached with it.
#[derive(Debug, Default)]
pub struct Derived {
    /// The key that matched the record last.
    pub matched: Cell<Option<MatchedKey>>,
    /// Description of a request that may pass, if the key has no limits.
    pub description: OnceCell<String>,
}

/// A key whose secret is one of the record's.
#[derive(Clone, Copy, Debug)]
pub struct MatchedKey {
    /// The key.
    pub key: PresentedKey,
    /// Number of the secret.
    pub secret: u32,
}
