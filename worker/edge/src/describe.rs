//! What the edge tells about a key that it checked.

use crate::gate::Checked;
use ownchat_domain::{scope::ScopeSet, time::Timestamp, token::Environment, verdict::Code, verdict::Denial};
use serde::Serialize;

/// The body of an answer about a key. What belongs to the key is there only if its secret was right.
#[derive(Debug, Serialize)]
pub struct Description {
    valid: bool,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// Describes the outcome of a check.
pub fn describe(checked: &Checked) -> Description {
    let denial = checked.verdict.as_ref().err();
    let record = checked.record.as_deref();
    Description {
        valid: denial.is_none(),
        code: denial.map_or(Code::Valid, Denial::code).as_str(),
        detail: denial.map_or_else(|| "The key is good.".to_owned(), Denial::detail),
        key_id: record.map(|record| record.locator.to_string()),
        name: record.map(|record| record.name.clone()),
        workspace: record.map(|record| record.workspace),
        environment: record.map(|record| record.environment),
        scopes: record.map(|record| record.scopes),
        missing: match denial {
            Some(Denial::ScopeMissing { required, granted }) => Some(granted.missing(*required)),
            _ => None,
        },
        expires_at: record.and_then(|record| record.expires_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::record;
    use serde_json::json;

    fn text(checked: &Checked) -> serde_json::Value {
        serde_json::to_value(describe(checked)).unwrap()
    }

    #[test]
    fn a_good_key_is_described() {
        let record = record();
        let id = record.locator.to_string();
        assert_eq!(
            text(&Checked { record: Some(record.into()), verdict: Ok(()) }),
            json!({
                "valid": true, "code": "VALID", "detail": "The key is good.", "key_id": id, "name": "Shop",
                "workspace": 7, "environment": "live", "scopes": ["contacts:read"],
                "expires_at": "2027-01-15T08:00:00Z"
            })
        );
    }

    #[test]
    fn a_missing_scope_is_named() {
        let (granted, required) = (record().scopes, ScopeSet::from_names(["messages:send"]).unwrap());
        let verdict = Err(Denial::ScopeMissing { required, granted });
        let described = text(&Checked { record: Some(record().into()), verdict });
        assert_eq!(described["missing"], json!(["messages:send"]));
        assert_eq!(described["code"], json!("SCOPE_MISSING"));
    }

    #[test]
    fn of_an_unknown_key_nothing_is_told() {
        assert_eq!(
            text(&Checked::refused(Denial::Unknown)),
            json!({"valid": false, "code": "UNKNOWN_KEY", "detail": Denial::Unknown.detail()})
        );
    }
}
