//! Parses the fields of a key, each by its own rule, for new keys and for patches.
//!
//! Each parser records a fault under the name of its field and then returns `None`.

use super::Details;
use crate::{
    failure::FieldErrors,
    key::{CHANNELS_MAX, DESCRIPTION_MAX, EXPIRY_MAX, METADATA_BYTES_MAX, METADATA_MAX, NAME_MAX},
    network::{LIST_MAX, Network, Networks},
    scope::ScopeSet,
    text,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Maximum characters of a channel id.
const CHANNEL_MAX: usize = 64;

/// Parses the display name.
pub fn name(errors: &mut FieldErrors, text: &str) -> Option<String> {
    errors.take("name", text::line(text, NAME_MAX))
}

/// Parses the description.
pub fn description(errors: &mut FieldErrors, text: &str) -> Option<String> {
    errors.take("description", text::paragraph(text, DESCRIPTION_MAX))
}

/// Parses the integration.
pub fn integration(errors: &mut FieldErrors, text: &str) -> Option<String> {
    let line = if text.trim().is_empty() { Ok(String::new()) } else { text::line(text, NAME_MAX) };
    errors.take("integration", line)
}

/// Parses the reason for the audit trail.
pub fn reason(errors: &mut FieldErrors, text: &str) -> Option<String> {
    errors.take("reason", text::paragraph(text, DESCRIPTION_MAX))
}

/// Parses the scopes.
pub fn scopes(errors: &mut FieldErrors, names: &[String]) -> Option<ScopeSet> {
    let scopes = ScopeSet::from_names(names.iter().map(String::as_str)).map_err(|error| error.to_string());
    let scopes = scopes.and_then(|scopes| {
        if scopes.is_empty() {
            Err("Choose at least one scope: a key without any could do nothing.".into())
        } else {
            Ok(scopes)
        }
    });
    errors.take("scopes", scopes)
}

/// Parses the start.
pub fn not_before(errors: &mut FieldErrors, text: Option<&str>, now: Timestamp) -> Option<Option<Timestamp>> {
    errors.take("not_before", text.map(|text| beginning(text, now)).transpose())
}

/// Parses the expiry.
pub fn expires_at(errors: &mut FieldErrors, text: Option<&str>, now: Timestamp) -> Option<Option<Timestamp>> {
    errors.take("expires_at", text.map(|text| end(text, now)).transpose())
}

/// Parses the ids of the allowed channels.
pub fn channels(errors: &mut FieldErrors, ids: &[String]) -> Option<Vec<String>> {
    errors.take("restrictions.channels", channel_ids(ids))
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
pub fn networks(errors: &mut FieldErrors, field: &str, texts: &[String]) -> Option<Vec<Network>> {
    if texts.len() > LIST_MAX {
        let message = format!("These are {} networks; at most {LIST_MAX} are possible.", texts.len());
        return errors.take(field, Err(message));
    }
    let (mut networks, mut are_valid) = (Vec::new(), true);
    for (place, text) in texts.iter().enumerate() {
        let network = text.parse::<Network>().map_err(|error| error.to_string());
        match errors.take(&format!("{field}[{place}]"), network) {
            Some(network) if networks.contains(&network) => {}
            Some(network) => networks.push(network),
            None => are_valid = false,
        }
    }
    are_valid.then_some(networks)
}

fn channel_ids(ids: &[String]) -> Result<Vec<String>, String> {
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

/// Checks notes. Note values are data of services, kept as they are; `None` removes a note.
pub fn notes<'a>(
    errors: &mut FieldErrors,
    notes: impl IntoIterator<Item = (&'a String, Option<&'a String>)>,
) -> Option<()> {
    let mut all = Some(());
    for (name, value) in notes {
        let (field, fault) = if name.trim().is_empty() {
            ("metadata".to_owned(), "Every note needs a name.".to_owned())
        } else if let Err(message) = text::line(name, METADATA_BYTES_MAX) {
            ("metadata".to_owned(), format!("The name of a note: {message}"))
        } else if value.is_some_and(|value| text::holds_key(value)) {
            (format!("metadata.{name}"), text::HOLDS_KEY.to_owned())
        } else {
            continue;
        };
        all = errors.take(&field, Err(fault));
    }
    all
}

/// Records contradictions between the lists of networks.
pub fn network_lists(errors: &mut FieldErrors, networks: &Networks) {
    if let Err((field, message)) = networks.check() {
        errors.take::<()>(field, Err(message));
    }
}

/// Records faults of the details as a whole, each of whose fields is valid.
pub fn whole(errors: &mut FieldErrors, details: &Details) {
    errors.take("metadata", metadata(&details.metadata));
    let in_order = match (details.not_before, details.expires_at) {
        (Some(begin), Some(end)) if begin >= end => Err("The key would end before it begins.".to_owned()),
        _ => Ok(()),
    };
    errors.take("not_before", in_order);
}

/// Checks the number of notes and their total size.
fn metadata(notes: &BTreeMap<String, String>) -> Result<(), String> {
    if notes.len() > METADATA_MAX {
        return Err(format!("These are {} notes; at most {METADATA_MAX} are possible.", notes.len()));
    }
    let bytes: usize = notes.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        return Err(format!("These notes have {bytes} bytes; at most {METADATA_BYTES_MAX} are possible."));
    }
    Ok(())
}
