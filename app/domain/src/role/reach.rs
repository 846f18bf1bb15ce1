//! Limit on keys that create keys: no key gains more reach through another key than it has itself.
//! The limit covers environment, channels, networks and expiry. Rate limits and quotas do not
//! count: a key that may create keys may create many.

use crate::{
    failure::{Failure, FieldError},
    key::Details,
};

/// Checks that a key with details `own` may give the details `given`.
///
/// # Errors
///
/// Returns [`Failure::Beyond`] with every field that exceeds the key's own restrictions.
pub fn check(own: &Details, given: &Details) -> Result<(), Failure> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError::new(field, message));
    if own.environment != given.environment {
        refuse("environment", format!("The key that asks is for {} alone.", own.environment));
    }
    let is_within = !given.channels.is_empty() && given.channels.iter().all(|channel| own.channels.contains(channel));
    if !own.channels.is_empty() && !is_within {
        refuse("restrictions.channels", format!("The key that asks is for {} alone.", own.channels.join(", ")));
    }
    if !own.networks.is_at_least(&given.networks) {
        refuse("restrictions", "The key that asks may not be used from all of these networks.".into());
    }
    if let Some(end) = own.expires_at
        && given.expires_at.is_none_or(|given| given > end)
    {
        refuse("expires_at", format!("The key that asks ends at {}.", end.rfc3339()));
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::Beyond { errors }) }
}
