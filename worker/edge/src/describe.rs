//! The description of a checked key: the body of a response of verify and of `GET /v1/key`.

use crate::key_check::Decision;
use ownchat_domain::{
    environment::Environment,
    limit::Period,
    scope::ScopeSet,
    time::{Timestamp, whole_seconds},
    verdict::{Code, Denial},
};
use serde::{Serialize, Serializer};

/// The description of a key. A refusal names the reason and the key, and nothing else of it.
#[derive(Debug, Serialize)]
struct Description {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<DescribedLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<DescribedLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// Texts by name, in the order of the record.
#[derive(Debug)]
struct Metadata(Vec<(String, String)>);

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, note)| (name, note)))
    }
}

/// A limit and its remaining permits, as far as this isolate knows them.
#[derive(Debug, Serialize)]
struct DescribedLimit {
    limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u32>,
    /// Seconds until the full limit is available again.
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_seconds: Option<i64>,
}

/// Describes a decision, as JSON. The description of a good key without limits depends on its
/// record alone, so it is rendered once.
pub fn describe(decision: &Decision) -> String {
    // Strings, numbers and lists of them always serialize.
    let render = || serde_json::to_string(&description(decision)).unwrap_or_default();
    match &decision.record {
        Some(record) if decision.verdict.is_ok() && record.limits.is_empty() => {
            decision.derived.description.get_or_init(render).clone()
        }
        _ => render(),
    }
}

fn description(decision: &Decision) -> Description {
    let denial = decision.verdict.as_ref().err();
    let record = decision.record.as_deref();
    let key_id = record.map(|record| record.locator.to_string());
    let record = record.filter(|_| denial.is_none());
    Description {
        valid: denial.is_none(),
        code: denial.map_or(Code::Valid, Denial::code).as_str(),
        detail: denial.map_or_else(|| "The key is good.".to_owned(), Denial::detail),
        key_id,
        name: record.map(|record| record.name.clone()),
        workspace: record.map(|record| record.workspace.number),
        environment: record.map(|record| record.environment),
        scopes: record.map(|record| record.scopes),
        missing: match denial {
            Some(Denial::ScopeMissing { required, granted }) => Some(granted.missing(*required)),
            _ => None,
        },
        expires_at: record.and_then(|record| record.expires_at),
        rate_limit: record.and_then(|record| record.limits.rate).map(|rate| DescribedLimit {
            limit: rate.limit,
            window_seconds: Some(rate.window_seconds),
            period: None,
            remaining: decision.standing.rate.map(|rest| rest.permits),
            reset_seconds: decision.standing.rate.map(|rest| whole_seconds(rest.refills_in)),
        }),
        quota: record.and_then(|record| record.limits.quota).map(|quota| DescribedLimit {
            limit: quota.limit,
            window_seconds: None,
            period: Some(quota.period),
            remaining: decision.standing.quota.map(|rest| rest.permits),
            reset_seconds: decision.standing.quota.map(|rest| whole_seconds(rest.refills_in)),
        }),
        metadata: record.filter(|record| !record.metadata.is_empty()).map(|record| Metadata(record.metadata.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_check::Derived;
    use crate::testing::record;
    use ownchat_domain::{
        limit::{Limits, Quota, RateLimit},
        meter::LimitState,
        record::Record,
    };
    use serde_json::json;
    use std::rc::Rc;

    fn text(decision: &Decision) -> serde_json::Value {
        serde_json::from_str(&describe(decision)).unwrap()
    }

    #[test]
    fn good_key_is_described() {
        let record = record();
        let id = record.locator.to_string();
        assert_eq!(
            text(&Decision {
                record: Some(record.into()),
                secret: Some(1),
                derived: Rc::default(),
                standing: LimitState::default(),
                lease: None,
                verdict: Ok(())
            }),
            json!({
                "valid": true, "code": "VALID", "detail": "The key is good.", "key_id": id, "name": "Shop",
                "workspace": 7, "environment": "live", "scopes": ["contacts:read"],
                "expires_at": "2027-01-15T08:00:00.000Z"
            })
        );
    }

    #[test]
    fn denial_names_its_reason_and_no_other_detail() {
        let (granted, required) = (record().scopes, ScopeSet::from_names(["messages:send"]).unwrap());
        let verdict = Err(Denial::ScopeMissing { required, granted });
        let described = text(&Decision {
            record: Some(record().into()),
            secret: None,
            derived: Rc::default(),
            standing: LimitState::default(),
            lease: None,
            verdict,
        });
        let detail = "This API key lacks messages:send. An admin can grant that in Settings, API Keys.";
        assert_eq!(
            described,
            json!({
                "valid": false, "code": "SCOPE_MISSING", "detail": detail,
                "key_id": record().locator.to_string(), "missing": ["messages:send"],
            })
        );
    }

    #[test]
    fn limits_and_metadata_are_described() {
        let limits = Limits {
            rate: Some(RateLimit { limit: 100, window_seconds: 60 }),
            quota: Some(Quota { limit: 1_000, period: Period::Month }),
        };
        let record = Record { limits, metadata: vec![("team".into(), "till".into())], ..record() };
        let standing = LimitState { rate: Some((42, 16_001).into()), quota: None };
        let described = text(&Decision {
            record: Some(record.into()),
            secret: Some(1),
            derived: Rc::default(),
            standing,
            lease: None,
            verdict: Ok(()),
        });
        assert_eq!(
            described["rate_limit"],
            json!({"limit": 100, "window_seconds": 60, "remaining": 42, "reset_seconds": 17})
        );
        assert_eq!(described["quota"], json!({"limit": 1_000, "period": "month"}));
        assert_eq!(described["metadata"], json!({"team": "till"}));
    }

    #[test]
    fn only_a_good_key_without_limits_has_a_cached_description() {
        let rate = Some(RateLimit { limit: 1, window_seconds: 1 });
        let of = |name: &str, rate, verdict, derived: &Rc<Derived>| {
            let record = Record { name: name.into(), limits: Limits { rate, quota: None }, ..record() };
            let passed = Decision::passed(record.into(), 1, derived.clone(), LimitState::default());
            describe(&Decision { verdict, ..passed })
        };
        let derived = Rc::default();
        let limited = of("Limited", rate, Ok(()), &derived);
        let refused = of("Refused", None, Err(Denial::Expired), &derived);
        assert!(derived.description.get().is_none(), "limits and refusals differ from request to request");
        let good = of("Shop", None, Ok(()), &derived);
        assert!(good.contains("\"Shop\"") && limited.contains("\"Limited\"") && !refused.contains("true"));
        assert_eq!(of("Another", None, Ok(()), &derived), good, "it is rendered once");
        assert_eq!(of("Refused", None, Err(Denial::Expired), &derived), refused);
        assert_eq!(of("Limited", rate, Ok(()), &derived), limited);
        assert_ne!(of("Another", None, Ok(()), &Rc::default()), good, "another record has its own");
    }

    #[test]
    fn unknown_key_is_not_described() {
        assert_eq!(
            text(&Decision::refused(Denial::Unknown)),
            json!({"valid": false, "code": "UNKNOWN_KEY", "detail": Denial::Unknown.detail()})
        );
    }
}
