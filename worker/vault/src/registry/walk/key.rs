//! A key of the model: what is said of it, how it is shown, and what the edge is told of it.

use super::caller::NETWORKS;
use ownchat_domain::{
    locator::Locator,
    time::{DAY, Timestamp},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One secret of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSecret {
    pub number: usize,
    pub created_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelKey {
    pub version: u64,
    pub name: String,
    pub description: String,
    pub integration: String,
    pub environment: &'static str,
    pub active: bool,
    pub reason: Option<String>,
    pub scopes: BTreeSet<String>,
    pub begin: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
    pub channels: Vec<String>,
    /// How many, in how many seconds.
    pub rate: Option<(u32, u32)>,
    /// How many, in which period.
    pub quota: Option<(u32, &'static str)>,
    pub notes: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// The eldest first.
    pub secrets: Vec<ModelSecret>,
}

impl ModelKey {
    /// Whether nobody switched it off or deleted it.
    pub const fn is_live(&self) -> bool {
        self.active && self.deleted_at.is_none()
    }

    /// Number of its newest secret.
    pub fn newest(&self) -> usize {
        self.secrets.iter().map(|secret| secret.number).max().unwrap_or(0)
    }

    /// Why it does not work at this moment, if it does not.
    pub fn reason_at(&self, now: Timestamp) -> Option<&'static str> {
        if self.deleted_at.is_some() {
            Some("deleted")
        } else if !self.active {
            Some("deactivated")
        } else if self.begin.is_some_and(|begin| begin > now) {
            Some("scheduled")
        } else if self.end.is_some_and(|end| end <= now) {
            Some("expired")
        } else {
            None
        }
    }

    /// As admins see it, in JSON.
    pub fn shown(&self, id: Locator, now: Timestamp) -> Value {
        let secrets: Vec<Value> = self
            .secrets
            .iter()
            .map(|secret| {
                let mut shown = json!({"number": secret.number, "created_at": secret.created_at});
                if let Some(end) = secret.ends_at {
                    shown["ends_at"] = json!(end);
                }
                shown
            })
            .collect();
        let reason = self.reason_at(now);
        let mut shown = json!({
            "id": id,
            "name": self.name,
            "description": self.description,
            "integration": self.integration,
            "environment": self.environment,
            "scopes": self.scopes,
            "status": if reason.is_none() { "active" } else { "inactive" },
            "prefix": format!("oc_{}_{id}", self.environment),
            "created_at": self.created_at,
            "created_by": self.created_by,
            "updated_at": self.updated_at,
            "version": self.version,
            "restrictions": {"allow": self.allow, "deny": self.deny, "channels": self.channels},
            "secrets": secrets,
            "metadata": self.notes,
        });
        for (name, value) in [
            ("reason", reason.map(|reason| json!(reason))),
            ("reason_text", self.reason.as_ref().map(|reason| json!(reason))),
            ("not_before", self.begin.map(|begin| json!(begin))),
            ("expires_at", self.end.map(|end| json!(end))),
            ("restore_until", self.deleted_at.map(|deleted| json!(deleted.plus(30 * DAY)))),
            ("rate_limit", self.rate.map(|(limit, seconds)| json!({"limit": limit, "window_seconds": seconds}))),
            ("quota", self.quota.map(|(limit, period)| json!({"limit": limit, "period": period}))),
        ] {
            if let Some(value) = value {
                shown[name] = value;
            }
        }
        shown
    }

    /// As the edge is told of it, but for when that was sealed and what holds for the workspace.
    pub fn record_json(&self, id: Locator) -> Value {
        json!({
            "id": id,
            "environment": self.environment,
            "version": self.version,
            "name": self.name,
            "active": self.active,
            "deleted": self.deleted_at.is_some(),
            "scopes": self.scopes,
            "not_before": self.begin,
            "expires_at": self.end,
            "allow": self.allow,
            "deny": self.deny,
            "channels": self.channels,
            "rate": self.rate,
            "quota": self.quota,
            "notes": self.notes,
            "secrets": self.secrets.iter().map(|secret| json!([secret.number, secret.ends_at])).collect::<Vec<_>>(),
        })
    }

    /// Whether it may be used from this address.
    pub fn accepts_address(&self, address: &str) -> bool {
        !addresses_in(&self.deny).contains(address)
            && (self.allow.is_empty() || addresses_in(&self.allow).contains(address))
    }

    /// Whether it opens this scope: whoever edits contacts reads them.
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.contains(scope) || (scope == "contacts:read" && self.scopes.contains("contacts:write"))
    }

    /// Whether somebody who gets by with this key might not with the other one.
    pub fn is_narrowed_by(&self, other: &Self) -> bool {
        let later = other.begin.is_some_and(|begin| self.begin.is_none_or(|was| begin > was));
        let sooner = other.end.is_some_and(|end| self.end.is_none_or(|was| end < was));
        let less_often = other.rate.is_some_and(|(limit, seconds)| {
            self.rate.is_none_or(|(was, in_seconds)| limit < was || seconds > in_seconds)
        });
        let less = other
            .quota
            .is_some_and(|(limit, period)| self.quota.is_none_or(|(was, each)| limit < was || period != each));
        let unopened = self.scopes.iter().any(|scope| !other.grants(scope));
        later || sooner || less_often || less || unopened || self.loses_channels(other) || self.loses_addresses(other)
    }

    /// Whether it is for a channel for which the other one is not.
    pub fn loses_channels(&self, other: &Self) -> bool {
        let is_for_all = self.channels.is_empty();
        let kept = self.channels.iter().all(|channel| other.channels.contains(channel));
        !other.channels.is_empty() && (is_for_all || !kept)
    }

    /// Tells if not everything that is allowed is denied.
    pub fn accepts_some_address(&self) -> bool {
        self.allow.is_empty() || !addresses_in(&self.allow).is_subset(&addresses_in(&self.deny))
    }

    /// Whether it may be used from somewhere from where the other one may not, as far as the lists say it one by one.
    pub fn loses_addresses(&self, other: &Self) -> bool {
        let fewer = !other.allow.is_empty()
            && (self.allow.is_empty() || !addresses_in(&self.allow).is_subset(&addresses_in(&other.allow)));
        fewer || !addresses_in(&other.deny).is_subset(&addresses_in(&self.deny))
    }
}

/// The addresses of the walk in these networks.
fn addresses_in(networks: &[String]) -> BTreeSet<&'static str> {
    let found = NETWORKS.iter().filter(|(network, _)| networks.iter().any(|it| it == network));
    found.flat_map(|(_, places)| places.iter().copied()).collect()
}
