//! Adds last use and remaining quota to keys: their registry does not know them.
//! Without a timely response keys are shown without them.

use crate::{log, request_context::RequestContext, timeout::with_timeout, vault};
use futures_util::future::{join, join_all};
use ownchat_domain::{
    key::{Key, KeyPage, QuotaLeft},
    limit::Limits,
    vault::{Object, meter::LookAhead, registry::Changed, usage::ReadLastUses},
};
use std::{slice, time::Duration};

/// Timeout of a read of these values.
const TIMEOUT: Duration = Duration::from_secs(1);

/// A response that contains keys.
pub trait WithKeys {
    /// Returns the keys.
    fn keys(&mut self) -> &mut [Key];
}

impl WithKeys for Key {
    fn keys(&mut self) -> &mut [Key] {
        slice::from_mut(self)
    }
}

impl WithKeys for KeyPage {
    fn keys(&mut self) -> &mut [Key] {
        &mut self.data
    }
}

impl WithKeys for Changed {
    fn keys(&mut self) -> &mut [Key] {
        slice::from_mut(&mut self.key)
    }
}

/// Adds these values to keys of one workspace.
pub async fn add(context: &RequestContext, workspace: u32, keys: &mut [Key]) {
    if keys.is_empty() {
        return;
    }
    let call = ReadLastUses { keys: keys.iter().map(|key| key.id).collect() };
    let uses = with_timeout(TIMEOUT, vault::ask(context, Object::Usage(workspace), &call));
    // Each key has its own meter.
    let left = join_all(keys.iter().map(|key| left(context, key)));
    let (uses, left) = join(uses, left).await;
    match uses {
        Some(Ok(uses)) => keys.iter_mut().for_each(|key| key.note_last_uses(&uses)),
        Some(Err(failure)) => log::warning(&context.request_id, &format!("usage: no last uses: {failure}")),
        None => log::warning(&context.request_id, "usage: no last uses in time"),
    }
    for (key, left) in keys.iter_mut().zip(left) {
        if let Some(quota) = &mut key.quota {
            quota.remaining = left;
        }
    }
}

/// Returns the remaining quota of a key, if it has a quota and its meter responds.
async fn left(context: &RequestContext, key: &Key) -> Option<u32> {
    let limits = Limits { rate: key.rate_limit, quota: Some(key.quota?.into()) };
    let call = LookAhead { limits, version: key.version, cost: 0 };
    match with_timeout(TIMEOUT, vault::ask(context, Object::Meter(key.id), &call)).await {
        Some(Ok(outlook)) => outlook.standing.quota.map(|rest| rest.permits),
        Some(Err(failure)) => {
            log::warning(&context.request_id, &format!("meter of key {}: {failure}", key.id));
            None
        }
        None => {
            log::warning(&context.request_id, &format!("meter of key {}: no response in time", key.id));
            None
        }
    }
}

/// Sets the remaining quota of a new key: all of it.
pub fn of_new(key: &mut Key) {
    if let Some(QuotaLeft { limit, remaining, .. }) = &mut key.quota {
        *remaining = Some(*limit);
    }
}
