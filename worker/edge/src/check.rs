//! Plain values of a check: the key, the requirements, the decision.

use crate::slot::Slot;
use ownchat_domain::{
    digest::{Fingerprint, SecretHash},
    locator::{Address, Locator},
    meter::Standing,
    policy::Call,
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

/// The check of a key, and what its outcome is for.
#[derive(Debug)]
pub struct KeyCheck<'a> {
    /// The key, as it came.
    pub key: Cow<'a, str>,
    /// What is done with the outcome.
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

/// What the outcome of a check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To tell a service that was handed the key.
    Verify,
    /// To let the key's holder ask about another key.
    VerifyCaller,
    /// To tell the key's holder about it.
    OwnKey,
    /// To let the call through to the services.
    Gateway,
}

impl KeyCheck<'_> {
    /// What the call wants of the key.
    pub fn requirements(&self) -> Requirements<'_> {
        let call = Call { required: self.required, channel: self.channel.as_deref(), address: self.source_ip };
        Requirements { call, cost: self.cost, client_ip: self.client_ip }
    }

    /// Returns the workspace about whose keys a caller may ask, if this was the check of one and it
    /// passed.
    pub fn authorized_workspace(&self, decision: &Decision) -> Option<u32> {
        let record =
            decision.record.as_ref().filter(|_| self.purpose == Purpose::VerifyCaller && decision.verdict.is_ok());
        record.map(|record| record.workspace.number)
    }

    /// Returns true if the request goes on to a service, whose answer is not known yet.
    pub fn is_forwarded(&self, decision: &Decision) -> bool {
        self.purpose == Purpose::Gateway && decision.verdict.is_ok() && decision.record.is_some()
    }
}

/// A key of ours, by its look; whether it is good is not known yet.
#[derive(Clone, Copy, Debug)]
pub struct PresentedKey {
    /// Its public name.
    pub locator: Locator,
    /// Whose key it says it is.
    pub key_number: Address,
    /// What the whole of it is known by.
    pub fingerprint: Fingerprint,
    /// Hash of its secret.
    pub hash: SecretHash,
}

/// What a call wants of a key.
#[derive(Clone, Copy, Debug)]
pub struct Requirements<'a> {
    /// What it needs, and where it comes from.
    pub call: Call<'a>,
    /// How much of the limits it costs.
    pub cost: u32,
    /// The address of the caller itself, whatever the call is about.
    pub client_ip: Option<IpAddr>,
}

/// The outcome of a check.
#[derive(Debug)]
pub struct Decision {
    /// The key, if its secret was right, whatever the verdict.
    pub record: Option<Rc<Record>>,
    /// Number of the secret that opened it, if the call may pass.
    pub secret: Option<u32>,
    /// What was found out from its record before.
    pub derived: Rc<Derived>,
    /// What is left of its limits, if it has any and that is known.
    pub standing: Standing,
    /// The lease of the last permit that was spent, if one was.
    pub lease: Option<u64>,
    /// May the call pass?
    pub verdict: Result<(), Denial>,
}

impl Decision {
    /// A refusal of something that is no key.
    pub fn refused(denial: Denial) -> Self {
        let derived = Rc::default();
        let standing = Standing::default();
        Self { record: None, secret: None, derived, standing, lease: None, verdict: Err(denial) }
    }

    /// Returns true if the key has limits.
    pub fn is_limited(&self) -> bool {
        self.record.as_ref().is_some_and(|record| !record.limits.is_empty())
    }

    /// A refusal of a key whose secret was right.
    pub fn denied(record: Rc<Record>, standing: Standing, denial: Denial) -> Self {
        Self { record: Some(record), standing, ..Self::refused(denial) }
    }

    /// An authorized call.
    pub fn passed(record: Rc<Record>, secret: u32, derived: Rc<Derived>, standing: Standing) -> Self {
        Self { record: Some(record), secret: Some(secret), derived, standing, lease: None, verdict: Ok(()) }
    }
}

/// What need not be found out again while a record is remembered.
#[derive(Debug, Default)]
pub struct Derived {
    /// The key that opened it last.
    pub matched: Cell<Option<MatchedKey>>,
    /// The answer to a call that may pass, if it is kept.
    pub response: OnceCell<Slot>,
}

/// A key whose secret is one of the record's.
#[derive(Clone, Copy, Debug)]
pub struct MatchedKey {
    /// The key.
    pub key: PresentedKey,
    /// The number of its secret.
    pub secret: u32,
}
