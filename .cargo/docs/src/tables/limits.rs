//! The fields of a key, and the sizes and counts of the whole product.

use super::{duration, grouped, table};
use crate::source::{FETCHING, GRANT, PATH, ROTATE, SESSIONS, SETUP};
use ownchat_domain::{
    account::{PASSWORD_MAX_BYTES, PASSWORD_MIN},
    idempotency,
    json::BODY_MAX,
    key::{
        CHANNELS_MAX, DESCRIPTION_MAX, EXPIRY_MAX, KeyQuery, METADATA_BYTES_MAX, METADATA_MAX, NAME_MAX, OVERLAP_MAX,
        RESTORE_WITHIN,
    },
    limit::{COST_MAX, LIMIT_MAX, WINDOW_MAX},
    network, principal, record,
    role::FULL_ACCESS_MAX,
    vault::registry::OUTAGE_MAX,
};

/// Renders the fields of a key, each with its rule.
pub fn fields() -> String {
    let (networks, channels) = (network::LIST_MAX, CHANNELS_MAX);
    let (limit, window) = (grouped(&LIMIT_MAX), grouped(&WINDOW_MAX));
    let rows = [
        ("`name`", format!("1 to {NAME_MAX} characters; required")),
        ("`environment`", "`live` or `test`; required, fixed".to_owned()),
        ("`scopes`", "at least one; required. See [Scopes](/integrate/scopes.md).".to_owned()),
        ("`description`, `integration`", format!("up to {DESCRIPTION_MAX} and {NAME_MAX} characters")),
        (
            "`status`",
            "`active` or `inactive`; on change only. Responses add `reason`: `deactivated`, `scheduled`, `expired` or \
             `deleted`."
                .to_owned(),
        ),
        (
            "`reason`",
            format!(
                "up to {DESCRIPTION_MAX} characters; goes into the audit trail. When you deactivate, responses repeat \
                 it as `reason_text`."
            ),
        ),
        (
            "`not_before`, `expires_at`",
            format!("up to ten years ({}) ahead; expiry in the future", duration(EXPIRY_MAX)),
        ),
        (
            "`restrictions`",
            format!("`allow` and `deny`: up to {networks} networks each; `channels`: up to {channels} ids"),
        ),
        ("`rate_limit`", format!("`limit` 1 to {limit}; `window_seconds` 1 to {window}")),
        (
            "`quota`",
            "`limit` as above; `period` is `day` or `month`, in UTC. Responses add `remaining`; permits that edge \
             locations have leased count as used."
                .to_owned(),
        ),
        (
            "`metadata`",
            format!(
                "up to {METADATA_MAX} pairs of text, {} together; [`POST /v1/verify`](/integrate/verify.md) returns it",
                bytes(METADATA_BYTES_MAX)
            ),
        ),
    ];
    table(&["Field", "Rule"], rows.map(|(field, rule)| vec![field.to_owned(), rule]))
}

/// Renders the sizes and counts that hold for everybody.
pub fn limits() -> Result<String, String> {
    let path = usize::try_from(PATH.number("PATH_MAX")?).map_err(|error| error.to_string())?;
    let (working, ended) = (ROTATE.number("SECRETS_MAX")?, ROTATE.number("ENDED_MAX")?);
    let (idle, absolute) = (SESSIONS.number("IDLE")?, SESSIONS.number("ABSOLUTE")?);
    let (page, default) = (KeyQuery::LIMIT_MAX, KeyQuery::LIMIT_DEFAULT);
    let rows = [
        ("body in JSON, at the edge's own endpoints and the management API", bytes(BODY_MAX)),
        (
            "response of the edge while stores are down",
            format!("after {} at most", duration(FETCHING.number("RESPONSE_DEADLINE")?)),
        ),
        ("path of a request through the gateway", format!("{} bytes", grouped(&path))),
        ("keys on a page of a list", format!("1 to {page}, {default} by default")),
        ("`cost` of `POST /v1/verify`", format!("0 to {}", grouped(&COST_MAX))),
        (
            "`Idempotency-Key`",
            format!("1 to {} characters, kept for {}", idempotency::LENGTH_MAX, duration(idempotency::REMEMBERED_FOR)),
        ),
        ("secrets of a key", format!("{working} that work, and the last {ended} that have ended")),
        ("overlap of a rotation", format!("0 to {}", duration(OVERLAP_MAX))),
        ("restoring a deleted key", format!("within {}", duration(RESTORE_WITHIN))),
        (
            "key without full access",
            format!(
                "up to {} high-risk scopes; more need an expiry within {}",
                GRANT.number("HIGH_RISK_MAX")?,
                duration(FULL_ACCESS_MAX)
            ),
        ),
        ("age of a record that decides", format!("up to {}", duration(record::LIFETIME))),
        ("validity of a signed principal", duration(principal::LIFETIME)),
        ("outage tolerance of a workspace", format!("0 to {} seconds", grouped(&OUTAGE_MAX))),
        ("session", format!("{} without use, {} in any case", duration(idle), duration(absolute))),
        ("password", format!("at least {PASSWORD_MIN} characters, at most {} bytes", grouped(&PASSWORD_MAX_BYTES))),
        ("set-up link", duration(SETUP.number("LIFETIME")?)),
    ];
    Ok(table(&["Of", "Limit"], rows.map(|(name, limit)| vec![name.to_owned(), limit])))
}

/// Formats a number of bytes.
fn bytes(bytes: usize) -> String {
    if bytes.is_multiple_of(1_024) {
        format!("{} KiB", grouped(&(bytes / 1_024)))
    } else {
        format!("{} bytes", grouped(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_code() {
        let (fields, limits) = (fields(), limits().unwrap());
        for row in ["| `name` | 1 to 100 characters; required |", "2 KiB together", "ten years (3,653 days) ahead"] {
            assert!(fields.contains(row), "{row}: {fields}");
        }
        for row in ["management API | 64 KiB |", "| 30 minutes without use, 12 hours in any case |", "| 1,024 bytes |"]
        {
            assert!(limits.contains(row), "{row}: {limits}");
        }
    }
}
