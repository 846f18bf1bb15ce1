//! Every response and every failure of the vault.

use crate::{LIMITS, at, locator, same};
use ownchat_domain::{
    account::PersonId,
    environment::Environment,
    explain::{CheckReport, CheckResult, Explanation},
    failure::{Failure, FieldError},
    key::{Key, KeyPage, KeySecret, Reason, Restrictions, Status},
    meter::{LimitState, Outlook, Refusal},
    scope::ScopeSet,
    usage::{LastUse, Point, Series, Span, Step},
    vault::{
        Outcome,
        masters::{Left, Master, Masters},
        person::Identity,
        registry::{Changed, ChangedSettings, Issued, Settings, TrailPage},
        transfer::{ExportCursor, ExportPart, Imported},
    },
    verdict::Code,
};
use serde::{Serialize, de::DeserializeOwned};

/// Checks a successful response.
fn good<T: Serialize + DeserializeOwned>(name: &str, answer: T) {
    same::<Outcome<T>>("answers-1.ndjson", name, &Ok(answer));
}

/// A key with all fields set.
fn full() -> Key {
    let secret = |number, ends_at, last_used_at| KeySecret { number, created_at: at(0), ends_at, last_used_at };
    Key {
        id: locator(),
        name: "Shop".into(),
        description: "For the till".into(),
        integration: "POS".into(),
        environment: Environment::Live,
        scopes: ScopeSet::from_names(["contacts:read", "messages:send"]).unwrap(),
        status: Status::Inactive,
        reason: Some(Reason::Deactivated),
        reason_text: Some("leaked".into()),
        prefix: "oc_live_as8FHY0XIyuzLdLz".into(),
        created_at: at(0),
        created_by: "Ada".into(),
        updated_at: at(250),
        version: 9,
        not_before: Some(at(1_000)),
        expires_at: Some(at(2_000)),
        last_used_at: Some(at(5)),
        restore_until: Some(at(3_000)),
        restrictions: Restrictions {
            allow: vec!["203.0.113.0/24".parse().unwrap()],
            deny: vec!["2001:db8::1".parse().unwrap()],
            channels: vec!["ch_1".into()],
        },
        rate_limit: LIMITS.rate,
        quota: LIMITS.quota.map(Into::into),
        secrets: vec![secret(1, Some(at(9)), Some(at(5))), secret(2, None, None)],
        metadata: [("team".to_owned(), "commerce".to_owned())].into(),
    }
}

/// A key without optional fields.
fn least() -> Key {
    Key {
        status: Status::Active,
        reason: None,
        reason_text: None,
        not_before: None,
        expires_at: None,
        last_used_at: None,
        restore_until: None,
        restrictions: Restrictions::default(),
        rate_limit: None,
        quota: None,
        ..full()
    }
}

#[test]
fn about_keys() {
    good("a key", full());
    good("a key without much", least());
    good("a page", KeyPage { data: vec![least()], next_cursor: Some("00000A".into()) });
    good("the last page", KeyPage { data: Vec::new(), next_cursor: None });
    good("a key that was made", Issued { key: least(), replayed: false });
    good("a key that was made before", Issued { key: least(), replayed: true });
    good("a change", Changed { key: least(), effective_at: Some(at(5_000)), replayed: true });
    good("a change that takes nothing", Changed { key: least(), effective_at: None, replayed: false });
}

#[test]
fn about_the_workspace() {
    let settings = Settings { name: "Shop".into(), version: 2, suspended: true, outage_seconds: 600 };
    good("settings", settings.clone());
    good("changed settings", ChangedSettings { settings, effective_at: Some(at(5_000)) });
    good("lines", TrailPage { lines: vec!["{\"sequence\":1}".into()], next_cursor: Some(1) });
    let left = Left { seal: true, pepper: false, locator: true };
    let master = Master { id: 2, left, records: 3, secrets: 4, keys: 5 };
    good("masters", Masters { data: vec![master], unknown: 6 });
    let next = Some(ExportCursor { until: 9, key: Some(2), line: 0 });
    good("a part of an export", ExportPart { lines: vec!["{}".into()], next });
    good("an import", Imported { keys: 2, trail: 9 });
}

#[test]
fn about_calls() {
    let compared = serde_json::from_str(r#"{"expires_at":"2027-01-01T00:00:00Z"}"#).unwrap();
    let finding = |result, detail: Option<&str>| CheckReport {
        check: "expires_at".into(),
        result,
        compared,
        detail: detail.map(str::to_owned),
    };
    let explanation = Explanation {
        code: "EXPIRED".into(),
        status: 401,
        detail: "This API key has expired.".into(),
        key_id: Some(locator().to_string()),
        at: at(0),
        checks: vec![finding(CheckResult::Failed, Some("why"))],
    };
    good("an explanation", explanation);
    let span = Span { from: at(0), to: at(3_600_000), step: Step::Hour };
    let point =
        Point { at: at(0), outcomes: [(0, 40), (8, 3)].into_iter().collect(), scopes: [(1, 2)].into_iter().collect() };
    good("use over time", Series { span, points: vec![point] });
    good("last uses", vec![LastUse { key: locator(), secret: 2, at: at(5) }]);
    let standing = LimitState { rate: Some((42, 17_000).into()), quota: None };
    let refusal = Some(Refusal { by_quota: true, retry_after: 500, standing });
    good("an outlook", Outlook { standing, refusal });
}

#[test]
fn about_people() {
    good("somebody", PersonId(0xab));
    good("nobody", None::<PersonId>);
    good("nothing", ());
    good("a text", "$argon2id$x".to_owned());
    let (name, email) = ("Ada".to_owned(), "a@b.example".to_owned());
    good("who is signed in", Identity { name, email, workspace: 7, workspace_name: "Shop".into() });
}

#[test]
fn failures() {
    let scopes = |names: &[&str]| ScopeSet::from_names(names.iter().copied()).unwrap();
    let (required, held) = (scopes(&["contacts:read", "messages:send"]), scopes(&["contacts:read"]));
    let errors = vec![FieldError::new("name", "Too long.")];
    for (name, failure) in [
        ("invalid", Failure::Invalid { errors: errors.clone() }),
        ("not signed in", Failure::NotSignedIn),
        ("wrong credentials", Failure::WrongCredentials),
        ("forbidden", Failure::Forbidden),
        ("not held", Failure::NotHeld { required, held }),
        ("beyond", Failure::Beyond { errors }),
        ("key refused", Failure::KeyRefused { code: Code::Expired, detail: "It has expired.".into() }),
        ("scope missing", Failure::ScopeMissing { required, granted: held }),
        ("not found", Failure::NotFound),
        ("stale", Failure::Stale),
        ("reused", Failure::Reused),
        ("running", Failure::Running),
        ("too many", Failure::TooMany { retry_after: 3 }),
        ("not effective yet", Failure::NotEffectiveYet),
        ("unavailable", Failure::Unavailable),
    ] {
        same::<Outcome<()>>("answers-1.ndjson", name, &Err(failure));
    }
}
