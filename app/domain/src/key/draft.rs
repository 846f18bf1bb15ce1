//! Requests to create and to change a key, and their validation into storable details.
#![allow(clippy::option_option, reason = "absent, null or a value, as in RFC 7396")]

mod fields;
mod stored;
#[cfg(test)]
mod tests;

use super::Status;
use crate::{
    digest::SecretHash,
    environment::Environment,
    failure::{Failure, FieldErrors},
    json::given,
    key::{QuotaPatch, RateLimitPatch},
    limit::{Limits, Quota, RateLimit},
    network::{Network, Networks},
    scope::ScopeSet,
    text,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Request to create a key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewKey {
    /// Display name.
    pub name: String,
    /// Purpose of the key.
    pub description: String,
    /// System that will use the key.
    pub integration: String,
    /// `live` or `test`.
    pub environment: String,
    /// Names of the scopes to grant.
    pub scopes: Vec<String>,
    /// RFC 3339 time before which the key is refused; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// RFC 3339 time from which the key is refused; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Network and channel restrictions.
    pub restrictions: RestrictionsPatch,
    /// Rate limit; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Quota; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Notes for services that verify the key.
    pub metadata: BTreeMap<String, String>,
    /// Reason, for the audit trail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hash of a secret that the caller generated and keeps; absent to have one generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<SecretHash>,
}

/// Network and channel restrictions of a key, as returned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restrictions {
    /// Networks that must contain the client IP; empty for any.
    pub allow: Vec<Network>,
    /// Networks that must not contain the client IP.
    pub deny: Vec<Network>,
    /// Ids of the allowed channels; empty for all.
    pub channels: Vec<String>,
}

/// Patch of the restrictions of a key: absent fields stay unchanged, `null` clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestrictionsPatch {
    /// Allowed networks in CIDR notation, at most 20.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub allow: Option<Option<Vec<String>>>,
    /// Denied networks in CIDR notation, at most 20.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub deny: Option<Option<Vec<String>>>,
    /// Ids of the allowed channels, at most 50.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub channels: Option<Option<Vec<String>>>,
}

/// Request to change a key (RFC 7396): absent fields stay unchanged, `null` clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyPatch {
    /// New display name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub name: Option<String>,
    /// New description; `null` or empty for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub description: Option<Option<String>>,
    /// System that uses the key; `null` or empty for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub integration: Option<Option<String>>,
    /// `active` or `inactive`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub status: Option<Status>,
    /// Reason in the admin's words, for the audit trail.
    ///
    /// On a deactivation it also appears beside the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Complete new set of scopes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub scopes: Option<Vec<String>>,
    /// New start; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub not_before: Option<Option<String>>,
    /// New expiry; `null` for never.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub expires_at: Option<Option<String>>,
    /// New restrictions, each list by itself; `null` removes all of them.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub restrictions: Option<Option<RestrictionsPatch>>,
    /// New rate limit, or a part of it; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub rate_limit: Option<Option<RateLimitPatch>>,
    /// New quota, or a part of it; `null` for none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub quota: Option<Option<QuotaPatch>>,
    /// Notes to set, or to remove with `null`; `null` as a whole removes all notes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub metadata: Option<Option<BTreeMap<String, Option<String>>>>,
}

/// Validated properties of a key that admins set, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Display name, 1 to [`super::NAME_MAX`] characters.
    pub name: String,
    /// Description, 0 to [`super::DESCRIPTION_MAX`] characters.
    pub description: String,
    /// Integration, 0 to [`super::NAME_MAX`] characters.
    pub integration: String,
    /// Environment that the key opens.
    pub environment: Environment,
    /// Scopes, at least one.
    pub scopes: ScopeSet,
    /// Start; before `expires_at` if both are set.
    pub not_before: Option<Timestamp>,
    /// Expiry; it was in the future when it was set.
    pub expires_at: Option<Timestamp>,
    /// Allowed and denied networks.
    pub networks: Networks,
    /// Ids of the allowed channels; empty for all.
    pub channels: Vec<String>,
    /// Rate limit and quota.
    pub limits: Limits,
    /// Notes for services that verify the key.
    pub metadata: BTreeMap<String, String>,
}

/// Error for a partial limit on a key without that limit.
const PART: &str = "There is no limit yet of which this could be a part; send all of it.";

/// Validated patch of [`Details`]. `None` keeps the current value.
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
    /// True to activate the key, false to deactivate it.
    pub active: Option<bool>,
    /// Reason in the admin's words.
    pub reason: Option<String>,
}

impl NewKey {
    /// Validates the request.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with every invalid field.
    pub fn check(&self, now: Timestamp) -> Result<Details, Failure> {
        let errors = &mut FieldErrors::default();
        let name = fields::name(errors, &self.name);
        let description = fields::description(errors, &self.description);
        let integration = fields::integration(errors, &self.integration);
        let environment = self.environment.parse::<Environment>().map_err(|()| "Choose live or test.".to_owned());
        let environment = errors.take("environment", environment);
        let reason = fields::reason(errors, self.reason.as_deref().unwrap_or_default());
        let scopes = fields::scopes(errors, &self.scopes);
        let not_before = fields::not_before(errors, self.not_before.as_deref(), now);
        let expires_at = fields::expires_at(errors, self.expires_at.as_deref(), now);
        let RestrictionsPatch { allow, deny, channels } = &self.restrictions;
        let allow = fields::networks(errors, "restrictions.allow", listed(allow.as_ref()));
        let deny = fields::networks(errors, "restrictions.deny", listed(deny.as_ref()));
        let channels = fields::channels(errors, listed(channels.as_ref()));
        let notes = fields::notes(errors, self.metadata.iter().map(|(name, value)| (name, Some(value))));
        let rate = self.rate_limit.map_or(Some(()), |rate| RateLimitPatch::from(rate).check(errors).map(drop));
        let quota = self.quota.map_or(Some(()), |quota| QuotaPatch::from(quota).check(errors).map(drop));
        let valid = || {
            reason.and(notes).and(rate).and(quota)?;
            Some(Details {
                name: name?,
                description: description?,
                integration: integration?,
                // No rule needs the environment, so an invalid one hides no other fault.
                environment: environment.unwrap_or(Environment::Live),
                scopes: scopes?,
                not_before: not_before?,
                expires_at: expires_at?,
                networks: Networks { allow: allow?, deny: deny? },
                channels: channels?,
                limits: Limits { rate: self.rate_limit, quota: self.quota },
                metadata: self.metadata.clone(),
            })
        };
        let details = valid();
        if let Some(details) = &details {
            fields::network_lists(errors, &details.networks);
            fields::whole(errors, details);
        }
        core::mem::take(errors).finish(details)
    }
}

/// Returns the entries of a list that is absent or cleared, too.
fn listed(list: Option<&Option<Vec<String>>>) -> &[String] {
    list.and_then(Option::as_deref).unwrap_or_default()
}

impl NewKey {
    /// Returns the reason, if a valid one was given. [`NewKey::check`] reports an invalid one.
    pub fn reason(&self) -> Option<String> {
        text::paragraph(self.reason.as_deref()?, super::DESCRIPTION_MAX).ok().filter(|reason| !reason.is_empty())
    }
}

impl DetailsPatch {
    /// Applies the patch to the details of a key.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] if the resulting key is invalid.
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
        let mut errors = FieldErrors::default();
        if let Some(patch) = self.rate {
            let is_whole = |patch: RateLimitPatch| patch.over(before.limits.rate).ok_or_else(|| PART.to_owned());
            after.limits.rate = errors.take("rate_limit", patch.map(is_whole).transpose()).flatten();
        }
        if let Some(patch) = self.quota {
            let is_whole = |patch: QuotaPatch| patch.over(before.limits.quota).ok_or_else(|| PART.to_owned());
            after.limits.quota = errors.take("quota", patch.map(is_whole).transpose()).flatten();
        }
        if after.networks != before.networks {
            fields::network_lists(&mut errors, &after.networks);
        }
        fields::whole(&mut errors, &after);
        errors.finish(Some(after))
    }
}

impl KeyPatch {
    /// Returns true if the patch deactivates a key and changes nothing else.
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

    /// Validates the patch on its own, without the key.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with every invalid field.
    pub fn check(&self, now: Timestamp) -> Result<DetailsPatch, Failure> {
        let none = RestrictionsPatch { allow: Some(None), deny: Some(None), channels: Some(None) };
        let absent = RestrictionsPatch::default();
        let RestrictionsPatch { allow, deny, channels } = match &self.restrictions {
            None => &absent,
            Some(None) => &none,
            Some(Some(patch)) => patch,
        };
        let errors = &mut FieldErrors::default();
        let notes = self.metadata.iter().flatten().flatten().map(|(name, value)| (name, value.as_ref()));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let patch = DetailsPatch {
            name: self.name.as_deref().and_then(|name| fields::name(errors, name)),
            description: self.description.as_ref().and_then(|value| fields::description(errors, &text(value))),
            integration: self.integration.as_ref().and_then(|value| fields::integration(errors, &text(value))),
            reason: self
                .reason
                .as_deref()
                .and_then(|reason| fields::reason(errors, reason))
                .filter(|reason| !reason.is_empty()),
            scopes: self.scopes.as_deref().and_then(|names| fields::scopes(errors, names)),
            not_before: self.not_before.as_ref().and_then(|text| fields::not_before(errors, text.as_deref(), now)),
            expires_at: self.expires_at.as_ref().and_then(|text| fields::expires_at(errors, text.as_deref(), now)),
            allow: allow.as_ref().and_then(|list| fields::networks(errors, "restrictions.allow", listed(Some(list)))),
            deny: deny.as_ref().and_then(|list| fields::networks(errors, "restrictions.deny", listed(Some(list)))),
            channels: channels.as_ref().and_then(|list| fields::channels(errors, listed(Some(list)))),
            metadata: fields::notes(errors, notes).and_then(|()| self.metadata.clone()),
            rate: self.rate_limit.map(|rate| rate?.check(errors)),
            quota: self.quota.map(|quota| quota?.check(errors)),
            active: self.status.map(|status| status == Status::Active),
        };
        core::mem::take(errors).finish(Some(patch))
    }
}
