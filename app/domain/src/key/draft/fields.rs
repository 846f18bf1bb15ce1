//! Validates the fields of a patch, each by its own rule.

use super::{DetailsPatch, KeyPatch, RestrictionsPatch};
use crate::{
    failure::{Failure, Findings},
    key::{CHANNELS_MAX, DESCRIPTION_MAX, EXPIRY_MAX, METADATA_BYTES_MAX, METADATA_MAX, NAME_MAX, Status},
    network::{LIST_MAX, Network},
    scope::ScopeSet,
    text,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Maximum characters of a channel id.
const CHANNEL_MAX: usize = 64;

/// Validates `patch` and its restrictions.
pub fn read(patch: &KeyPatch, restrictions: &RestrictionsPatch, now: Timestamp) -> Result<DetailsPatch, Failure> {
    let mut found = Findings::default();
    let name = patch.name.as_deref().map(|name| found.take("name", text::line(name, NAME_MAX)));
    let paragraph = |value: &Option<String>| text::paragraph(value.as_deref().unwrap_or_default(), DESCRIPTION_MAX);
    let description = patch.description.as_ref().map(|value| found.take("description", paragraph(value)));
    let integration = patch
        .integration
        .as_ref()
        .map(|value| found.take("integration", optional_line(value.as_deref().unwrap_or_default())));
    let reason = patch.reason.as_ref().map(|value| found.take("reason", text::paragraph(value, DESCRIPTION_MAX)));
    let scopes = patch.scopes.as_deref().map(|names| found.take("scopes", scopes(names)));
    let mut moment =
        |field: &str, value: &Option<Option<String>>, read: fn(&str, Timestamp) -> Result<Timestamp, String>| {
            value.as_ref().map(|value| found.take(field, value.as_deref().map(|text| read(text, now)).transpose()))
        };
    let not_before = moment("not_before", &patch.not_before, beginning);
    let expires_at = moment("expires_at", &patch.expires_at, end);
    let mut list = |field: &str, value: &Option<Option<Vec<String>>>| {
        value.as_ref().map(|value| networks(&mut found, field, value.as_deref().unwrap_or_default()))
    };
    let allow = list("restrictions.allow", &restrictions.allow);
    let deny = list("restrictions.deny", &restrictions.deny);
    let channels = restrictions
        .channels
        .as_ref()
        .map(|ids| found.take("restrictions.channels", channels(ids.as_deref().unwrap_or_default())));
    notes(&mut found, patch.metadata.as_ref().and_then(Option::as_ref));
    let rate = patch.rate_limit.map(|rate| rate.map(|rate| rate.check(&mut found)));
    let quota = patch.quota.map(|quota| quota.map(|quota| quota.check(&mut found)));
    found.finish(Some(DetailsPatch {
        name: name.flatten(),
        description: description.flatten(),
        integration: integration.flatten(),
        scopes: scopes.flatten(),
        not_before: not_before.flatten(),
        expires_at: expires_at.flatten(),
        allow,
        deny,
        channels: channels.flatten(),
        rate,
        quota,
        metadata: patch.metadata.clone(),
        active: patch.status.map(|status| status == Status::Active),
        reason: reason.flatten().filter(|reason| !reason.is_empty()),
    }))
}

fn optional_line(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Ok(String::new()) } else { text::line(text, NAME_MAX) }
}

fn scopes(names: &[String]) -> Result<ScopeSet, String> {
    let scopes = ScopeSet::from_names(names.iter().map(String::as_str)).map_err(|error| error.to_string())?;
    if scopes.is_empty() {
        Err("Choose at least one scope: a key without any could do nothing.".into())
    } else {
        Ok(scopes)
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "Write a date and time such as 2027-01-31T23:59:59Z.".into())
}

fn beginning(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let begin = moment(text)?;
    if begin.since(now) > EXPIRY_MAX {
        return Err("This is more than ten years away.".into());
    }
    Ok(begin)
}

fn end(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let end = moment(text)?;
    if end <= now {
        return Err(format!("This is in the past: the key would never work. It is {} here now.", now.rfc3339()));
    }
    if end.since(now) > EXPIRY_MAX {
        return Err("This is more than ten years away; choose no expiry if the key shall not end.".into());
    }
    Ok(end)
}

/// Parses a list of networks and drops duplicates. Errors name the index of the invalid entry.
fn networks(found: &mut Findings, field: &str, texts: &[String]) -> Vec<Network> {
    if texts.len() > LIST_MAX {
        found.take::<()>(field, Err(format!("These are {} networks; at most {LIST_MAX} are possible.", texts.len())));
        return Vec::new();
    }
    let mut networks: Vec<Network> = Vec::new();
    for (place, text) in texts.iter().enumerate() {
        let network = text.parse::<Network>().map_err(|error| error.to_string());
        if let Some(network) = found.take(&format!("{field}[{place}]"), network)
            && !networks.contains(&network)
        {
            networks.push(network);
        }
    }
    networks
}

fn channels(ids: &[String]) -> Result<Vec<String>, String> {
    if ids.len() > CHANNELS_MAX {
        return Err(format!("These are {} channels; at most {CHANNELS_MAX} are possible.", ids.len()));
    }
    let mut channels: Vec<String> = Vec::new();
    for id in ids {
        let is_id = (1..=CHANNEL_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if text::holds_key(id) {
            return Err(text::HOLDS_KEY.into());
        }
        if !is_id {
            return Err(format!("An id of a channel has 1 to {CHANNEL_MAX} letters, digits, _ or -."));
        }
        if !channels.contains(id) {
            channels.push(id.clone());
        }
    }
    Ok(channels)
}

/// Records the invalid notes of a patch. Note values are data of services, kept as they are.
fn notes(found: &mut Findings, notes: Option<&BTreeMap<String, Option<String>>>) {
    for (name, value) in notes.into_iter().flatten() {
        if name.trim().is_empty() {
            found.take::<()>("metadata", Err("Every note needs a name.".into()));
        } else if let Err(message) = text::line(name, METADATA_BYTES_MAX) {
            found.take::<()>("metadata", Err(format!("The name of a note: {message}")));
        } else if value.as_ref().is_some_and(|value| text::holds_key(value)) {
            found.take::<()>(&format!("metadata.{name}"), Err(text::HOLDS_KEY.into()));
        }
    }
}

/// Checks the number of notes and their total size.
pub fn metadata(notes: &BTreeMap<String, String>) -> Result<(), String> {
    if notes.len() > METADATA_MAX {
        return Err(format!("These are {} notes; at most {METADATA_MAX} are possible.", notes.len()));
    }
    let bytes: usize = notes.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        return Err(format!("These notes have {bytes} bytes; at most {METADATA_BYTES_MAX} are possible."));
    }
    Ok(())
}
