//! What admins say of a key, and how it becomes something that can be stored.
#![allow(clippy::option_option, reason = "absent, null or a value, as in RFC 7396")]

mod fields;
mod stored;
#[cfg(test)]
mod tests;

use super::Status;
use crate::{
    digest::SecretHash,
    failure::{Failure, FieldError, Findings},
    json::given,
    limit::{Limits, Quota, QuotaPatch, RateLimit, RateLimitPatch},
    network::{Network, Networks},
    scope::ScopeSet,
    text,
    time::Timestamp,
    token::Environment,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A key to be made, as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewKey {
    /// What people will call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The system that will use it.
    pub integration: String,
    /// `live` or `test`.
    pub environment: String,
    /// Names of the scopes it shall have.
    pub scopes: Vec<String>,
    /// RFC 3339 time until when it shall be refused; none for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// RFC 3339 time from when on it shall be refused; none for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Where and for what it may be used.
    pub restrictions: RestrictionsPatch,
    /// How often it may be used; none for as often as one likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// How much it may be used in a day or a month; none for as much as one likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Notes for services that verify it.
    pub metadata: BTreeMap<String, String>,
    /// Why it is made; goes into the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of a secret that the caller made and keeps; none to have one made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<SecretHash>,
}

/// Where and for what a key may be used, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restrictions {
    /// Networks of which the caller must be in one; none for anywhere.
    pub allow: Vec<Network>,
    /// Networks that the caller must not be in.
    pub deny: Vec<Network>,
    /// Ids of the channels that it may be used for; none for all.
    pub channels: Vec<String>,
}

/// Where and for what a key may be used, as it was asked for: what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestrictionsPatch {
    /// Networks in CIDR notation, at most 20.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub allow: Option<Option<Vec<String>>>,
    /// Networks in CIDR notation, at most 20.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub deny: Option<Option<Vec<String>>>,
    /// Ids of channels, at most 50.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub channels: Option<Option<Vec<String>>>,
}

/// Changes to a key, as they were asked for (RFC 7396): what is absent stays, `null` clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyPatch {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub name: Option<String>,
    /// A new description; `null` or empty for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// The system that uses it; `null` or empty for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub integration: Option<Option<String>>,
    /// `active` or `inactive`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub status: Option<Status>,
    /// Why, in the admin's words; goes into the audit trail, and beside the status when it is switched off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// All the scopes that it shall have from now on.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub scopes: Option<Vec<String>>,
    /// A new beginning; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub not_before: Option<Option<String>>,
    /// A new expiry; `null` for never.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub expires_at: Option<Option<String>>,
    /// New restrictions, each list by itself; `null` for none at all.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub restrictions: Option<Option<RestrictionsPatch>>,
    /// A new rate limit, or a part of it; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub rate_limit: Option<Option<RateLimitPatch>>,
    /// A new quota, or a part of it; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub quota: Option<Option<QuotaPatch>>,
    /// Notes to set, and names of notes to remove with `null`; `null` as a whole removes all.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub metadata: Option<Option<BTreeMap<String, Option<String>>>>,
}

/// What is stored of a key of what admins say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// 1 to [`super::NAME_MAX`] characters.
    pub name: String,
    /// 0 to [`super::DESCRIPTION_MAX`] characters.
    pub description: String,
    /// 0 to [`super::NAME_MAX`] characters.
    pub integration: String,
    /// Which world it opens.
    pub environment: Environment,
    /// At least one.
    pub scopes: ScopeSet,
    /// Before the end, if both are there.
    pub not_before: Option<Timestamp>,
    /// In the future when it was set.
    pub expires_at: Option<Timestamp>,
    /// Where it may be used from.
    pub networks: Networks,
    /// What it may be used for.
    pub channels: Vec<String>,
    /// How often and how much.
    pub limits: Limits,
    /// Notes.
    pub metadata: BTreeMap<String, String>,
}

/// Said of a part of a limit where there is no limit yet.
const PART: &str = "There is no limit yet of which this could be a part; send all of it.";

/// Changes that can be stored. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailsPatch {
    name: Option<String>,
    description: Option<String>,
    integration: Option<String>,
    scopes: Option<ScopeSet>,
    not_before: Option<Option<Timestamp>>,
    expires_at: Option<Option<Timestamp>>,
    allow: Option<Vec<Network>>,
    deny: Option<Vec<Network>>,
    channels: Option<Vec<String>>,
    rate: Option<Option<RateLimitPatch>>,
    quota: Option<Option<QuotaPatch>>,
    metadata: Option<Option<BTreeMap<String, Option<String>>>>,
    /// Whether it is to be active.
    pub active: Option<bool>,
    /// Why, in the admin's words.
    pub reason: Option<String>,
}

impl NewKey {
    /// The details, or everything that is wrong with them.
    pub fn check(&self, now: Timestamp) -> Result<Details, Failure> {
        let environment = self.environment.parse::<Environment>();
        let blank = Details {
            name: String::new(),
            description: String::new(),
            integration: String::new(),
            environment: environment.unwrap_or(Environment::Live),
            scopes: ScopeSet::EMPTY,
            not_before: None,
            expires_at: None,
            networks: Networks::default(),
            channels: Vec::new(),
            limits: Limits::default(),
            metadata: BTreeMap::new(),
        };
        let patch = KeyPatch {
            name: Some(self.name.clone()),
            description: Some(Some(self.description.clone())),
            integration: Some(Some(self.integration.clone())),
            status: None,
            reason: self.reason.clone(),
            scopes: Some(self.scopes.clone()),
            not_before: Some(self.not_before.clone()),
            expires_at: Some(self.expires_at.clone()),
            restrictions: Some(Some(self.restrictions.clone())),
            rate_limit: Some(self.rate_limit.map(Into::into)),
            quota: Some(self.quota.map(Into::into)),
            metadata: Some(Some(
                self.metadata.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
            )),
        };
        let checked = patch.check(now).and_then(|changes| changes.apply(&blank));
        match (checked, environment) {
            (Ok(details), Ok(_)) => Ok(details),
            (checked, environment) => {
                let mut errors = match checked {
                    Err(Failure::Invalid { errors }) => errors,
                    _ => Vec::new(),
                };
                if environment.is_err() {
                    // Faults are named in the order of the fields.
                    let before = ["name", "description", "integration"];
                    let place = errors.iter().take_while(|error| before.contains(&error.field.as_str())).count();
                    errors.insert(place, FieldError::new("environment", "Choose live or test."));
                }
                Err(Failure::Invalid { errors })
            }
        }
    }
}

impl NewKey {
    /// Why it is made, if that was said. [`NewKey::check`] says what is wrong with it.
    pub fn reason(&self) -> Option<String> {
        text::paragraph(self.reason.as_deref()?, super::DESCRIPTION_MAX).ok().filter(|reason| !reason.is_empty())
    }
}

impl DetailsPatch {
    /// The key after the changes, or why there cannot be one like it.
    pub fn apply(self, before: &Details) -> Result<Details, Failure> {
        let mut after = before.clone();
        let set = |place: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        set(&mut after.name, self.name);
        set(&mut after.description, self.description);
        set(&mut after.integration, self.integration);
        after.scopes = self.scopes.unwrap_or(after.scopes);
        after.not_before = self.not_before.unwrap_or(after.not_before);
        after.expires_at = self.expires_at.unwrap_or(after.expires_at);
        after.networks.allow = self.allow.unwrap_or(after.networks.allow);
        after.networks.deny = self.deny.unwrap_or(after.networks.deny);
        after.channels = self.channels.unwrap_or(after.channels);
        match self.metadata {
            None => {}
            Some(None) => after.metadata.clear(),
            Some(Some(notes)) => {
                for (name, value) in notes {
                    match value {
                        Some(value) => after.metadata.insert(name, value),
                        None => after.metadata.remove(&name),
                    };
                }
            }
        }
        let mut found = Findings::default();
        if let Some(patch) = self.rate {
            let is_whole = |patch: RateLimitPatch| patch.over(before.limits.rate).ok_or_else(|| PART.to_owned());
            after.limits.rate = found.take("rate_limit", patch.map(is_whole).transpose()).flatten();
        }
        if let Some(patch) = self.quota {
            let is_whole = |patch: QuotaPatch| patch.over(before.limits.quota).ok_or_else(|| PART.to_owned());
            after.limits.quota = found.take("quota", patch.map(is_whole).transpose()).flatten();
        }
        if after.networks != before.networks
            && let Err((field, message)) = after.networks.check()
        {
            found.take::<()>(field, Err(message));
        }
        found.take("metadata", fields::metadata(&after.metadata));
        let in_order = match (after.not_before, after.expires_at) {
            (Some(begin), Some(end)) if begin >= end => Err("The key would end before it begins.".to_owned()),
            _ => Ok(()),
        };
        found.take("not_before", in_order);
        found.finish(Some(after))
    }
}

impl KeyPatch {
    /// Whether it switches a key off and does nothing else.
    pub const fn only_deactivates(&self) -> bool {
        matches!(
            self,
            Self {
                name: None,
                description: None,
                integration: None,
                status: Some(Status::Inactive),
                reason: _,
                scopes: None,
                not_before: None,
                expires_at: None,
                restrictions: None,
                rate_limit: None,
                quota: None,
                metadata: None,
            }
        )
    }

    /// The changes, or everything that is wrong with them by themselves.
    pub fn check(&self, now: Timestamp) -> Result<DetailsPatch, Failure> {
        let none = RestrictionsPatch { allow: Some(None), deny: Some(None), channels: Some(None) };
        let absent = RestrictionsPatch::default();
        let restrictions = match &self.restrictions {
            None => &absent,
            Some(None) => &none,
            Some(Some(patch)) => patch,
        };
        fields::read(self, restrictions, now)
    }
}
