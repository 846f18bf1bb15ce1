//! A key of the model: its facts, its JSON in the API, and its content in a record.

use super::caller::NETWORKS;
use ownchat_domain::{
    locator::Locator,
    time::{DAY, Timestamp},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSecret {
    pub number: usize,
    pub created_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

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
    /// Limit and window in seconds.
    pub rate: Option<(u32, u32)>,
    /// Limit and period.
    pub quota: Option<(u32, &'static str)>,
    pub notes: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub created_by: String,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// Oldest first.
    pub secrets: Vec<ModelSecret>,
}

impl ModelKey {
    /// Returns true if it is neither deactivated nor deleted.
    pub const fn is_live(&self) -> bool {
        self.active && self.deleted_at.is_none()
    }

    /// Returns the number of its newest secret.
    pub fn newest(&self) -> usize {
        self.secrets.iter().map(|secret| secret.number).max().unwrap_or(0)
    }

    /// Returns the reason for which it does not work at this time, if any.
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

    /// Returns its JSON as the API shows it.
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

    /// Returns its content in a record, without sealing time and workspace.
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

    /// Returns true if it accepts requests from this client IP.
    pub fn accepts_address(&self, address: &str) -> bool {
        !addresses_in(&self.deny).contains(address)
            && (self.allow.is_empty() || addresses_in(&self.allow).contains(address))
    }

    /// Returns true if it grants this scope. `contacts:write` includes `contacts:read`.
    pub fn grants(&self, scope: &str) -> bool {
        self.scopes.contains(scope) || (scope == "contacts:read" && self.scopes.contains("contacts:write"))
    }

    /// Returns true if some request passes with this key and not with the other.
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

    /// Returns true if the other key lacks a channel of this one.
    pub fn loses_channels(&self, other: &Self) -> bool {
        let is_for_all = self.channels.is_empty();
        let kept = self.channels.iter().all(|channel| other.channels.contains(channel));
        !other.channels.is_empty() && (is_for_all || !kept)
    }

    /// Returns true if some allowed client IP is not denied.
    pub fn accepts_some_address(&self) -> bool {
        self.allow.is_empty() || !addresses_in(&self.allow).is_subset(&addresses_in(&self.deny))
    }

    /// Returns true if the other key refuses a client IP that this one accepts, judged list by
    /// list.
    pub fn loses_addresses(&self, other: &Self) -> bool {
        let fewer = !other.allow.is_empty()
            && (self.allow.is_empty() || !addresses_in(&self.allow).is_subset(&addresses_in(&other.allow)));
        fewer || !addresses_in(&other.deny).is_subset(&addresses_in(&self.deny))
    }
}

/// Returns the walk's client IPs in these networks.
fn addresses_in(networks: &[String]) -> BTreeSet<&'static str> {
    let found = NETWORKS.iter().filter(|(network, _)| networks.iter().any(|it| it == network));
    found.flat_map(|(_, addresses)| addresses.iter().copied()).collect()
}
