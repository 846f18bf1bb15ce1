//! No key reaches further through another one than by itself: in its environment, for its channels, from its networks and
//! as long as it lives. How often it is used is no part of that: whoever makes keys may make many.

use crate::{
    failure::{Failure, FieldError},
    key::Details,
};

/// Whether a key of which `own` is said may give what is `given`.
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
