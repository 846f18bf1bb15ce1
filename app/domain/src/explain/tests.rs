//! Proves that explanations match the decisions of the edge.

use super::*;
use crate::{
    checks::decide,
    failure::Failure,
    limit::{Limits, Period, Quota, RateLimit},
    meter::{LeaseRequest, MeterState},
    network::Networks,
    scope::ScopeSet,
    testing::{keyring, record, scopes, secret},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_799_999_999_999);

fn needing(names: &[&str]) -> Case {
    Case { wanted: Target::Scopes(scopes(names), None), address: None, environment: None, at: None, cost: None }
}

fn through(method: &str, path: &str) -> Case {
    Case { wanted: Target::Route { method: method.into(), path: path.into() }, ..needing(&[]) }
}

fn of(record: &Record, case: &Case) -> Explanation {
    explain(record, Some(&SecretHash::of(&secret())), None, case, &keyring(), NOW)
}

fn result(explanation: &Explanation, check: &str) -> CheckResult {
    explanation.checks.iter().find(|finding| finding.check == check).unwrap().result
}

fn read(json: &str) -> Result<(ExplainedKey, Case), Failure> {
    serde_json::from_str::<ExplainRequest>(json).unwrap().read()
}

fn fields(json: &str) -> Vec<String> {
    match read(json) {
        Err(Failure::Invalid { errors }) => errors.into_iter().map(|error| error.field).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_check_is_shown_in_the_order_of_the_edge() {
    let explanation = of(&record(), &through("GET", "/v1/contacts"));
    let names: Vec<&str> = explanation.checks.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!(
        names,
        [
            "route",
            "tag",
            "secret",
            "workspace",
            "deleted",
            "active",
            "not_before",
            "expires_at",
            "secret_ends_at",
            "address",
            "scopes",
            "channel",
            "rate_limit",
            "quota"
        ]
    );
    assert!(explanation.checks.iter().all(|finding| finding.result == CheckResult::Passed), "{explanation:?}");
    assert_eq!((explanation.code.as_str(), explanation.status), ("VALID", 200));
    assert_eq!(explanation.detail, "The edge lets this call pass.");
}

#[test]
fn the_first_failure_is_the_answer_and_the_others_are_shown() {
    let worst = Record { active: false, expires_at: Some(NOW), ..record() };
    let explanation = of(&worst, &needing(&["messages:send"]));
    assert_eq!((explanation.code.as_str(), explanation.status), ("INACTIVE", 401));
    assert_eq!(explanation.detail, Denial::Inactive.detail());
    for (check, expected) in [
        ("workspace", CheckResult::Passed),
        ("active", CheckResult::Failed),
        ("expires_at", CheckResult::Failed),
        ("scopes", CheckResult::Failed),
        ("channel", CheckResult::Passed),
    ] {
        assert_eq!(result(&explanation, check), expected, "{check}");
    }
    let compared = &explanation.checks.iter().find(|finding| finding.check == "scopes").unwrap().compared;
    assert_eq!(
        serde_json::from_str::<Value>(compared.get()).unwrap(),
        json!({"required": ["messages:send"], "granted": ["contacts:read"], "missing": ["messages:send"]})
    );
}

#[test]
fn a_path_is_looked_up_before_anything_else() {
    let dead = Record { active: false, ..record() };
    let explanation = of(&dead, &through("GET", "/v1/nothing"));
    assert_eq!((explanation.code.as_str(), explanation.status), ("not_found", 404));
    let explanation = of(&dead, &through("PUT", "/v1/contacts"));
    assert_eq!((explanation.code.as_str(), explanation.status), ("method_not_allowed", 405));
    assert_eq!(of(&record(), &through("GET", "/v1/key")).code, "VALID");
    let one = Record { channels: vec!["ch_1".into()], scopes: scopes(&["channels:read"]), ..record() };
    assert_eq!(of(&one, &through("GET", "/v1/channels/ch_1")).code, "VALID");
    assert_eq!(of(&one, &through("GET", "/v1/channels/ch_2")).code, "CHANNEL_FORBIDDEN");
}

#[test]
fn the_own_addresses_of_the_edge_are_explained() {
    for (method, path, code, status) in [
        ("GET", "/v1/key", "INACTIVE", 401),
        ("HEAD", "/v1/key", "INACTIVE", 401),
        ("POST", "/v1/key", "method_not_allowed", 405),
        ("GET", "/v1/health", "VALID", 200),
        ("HEAD", "/v1/health", "VALID", 200),
        ("POST", "/v1/health", "method_not_allowed", 405),
        ("POST", "/v1/verify", "INACTIVE", 401),
        ("GET", "/v1/verify", "method_not_allowed", 405),
        ("OPTIONS", "/v1/verify", "VALID", 204),
        ("OPTIONS", "/v1/contacts", "VALID", 204),
        ("OPTIONS", "/v1/nothing", "VALID", 204),
        ("GET", "/v1/health/", "not_found", 404),
    ] {
        let dead = Record { active: false, ..record() };
        let explanation = of(&dead, &through(method, path));
        assert_eq!((explanation.code.as_str(), explanation.status), (code, status), "{method} {path}");
    }
}

#[test]
fn a_key_needs_a_scope_to_ask_about_others() {
    let ask = through("POST", "/v1/verify");
    let (code, granted) = (of(&record(), &ask).code, Record { scopes: scopes(&["keys:verify"]), ..record() });
    assert_eq!((code.as_str(), of(&granted, &ask).code.as_str()), ("SCOPE_MISSING", "VALID"));
}

#[test]
fn where_no_key_is_looked_at_no_check_of_it_is_made() {
    let limits = Limits { rate: Some(RateLimit { limit: 5, window_seconds: 60 }), quota: None };
    let dead = Record { active: false, limits, ..record() };
    for (method, path) in [("GET", "/v1/health"), ("HEAD", "/v1/health"), ("OPTIONS", "/v1/contacts")] {
        let case = through(method, path);
        assert!(!asks_meter(&dead, &case), "{method} {path}");
        let of_malformed = malformed(TokenError::Check, &case, NOW);
        for explanation in [of(&dead, &case), of_malformed, forged(&case, NOW)] {
            let (route, others) = explanation.checks.split_first().unwrap();
            assert_eq!((route.check.as_str(), route.result), ("route", CheckResult::Passed));
            assert!(!others.is_empty() && others.iter().all(|finding| finding.result == CheckResult::NotLookedAt));
            assert_eq!(explanation.code, "VALID", "{method} {path}");
            assert!(explanation.detail.contains("whatever key"), "{}", explanation.detail);
        }
    }
    for (method, path, cost) in [("GET", "/v1/key", 0), ("POST", "/v1/verify", 1)] {
        let own = through(method, path);
        assert!(asks_meter(&dead, &own) && own.cost() == cost, "{method} {path}");
    }
}

#[test]
fn checks_without_their_input_are_not_looked_at() {
    let limits = Limits {
        rate: Some(RateLimit { limit: 5, window_seconds: 60 }),
        quota: Some(Quota { limit: 9, period: Period::Day }),
    };
    let networks = Networks { allow: vec!["203.0.113.0/24".parse().unwrap()], deny: Vec::new() };
    let record = Record { networks, limits, ..record() };
    let later = Case { at: Some(NOW), ..needing(&[]) };
    let explanation = explain(&record, None, None, &later, &keyring(), NOW);
    for check in ["secret", "address", "rate_limit", "quota"] {
        assert_eq!(result(&explanation, check), CheckResult::NotLookedAt, "{check}");
    }
    assert_eq!(explanation.code, "VALID");
    assert!(explanation.detail.ends_with("Not looked at: secret, address, rate_limit, quota."), "{explanation:?}");
    let from = Case { address: "192.0.2.1".parse().ok(), ..needing(&[]) };
    assert_eq!(explain(&record, None, None, &from, &keyring(), NOW).code, "ADDRESS_FORBIDDEN");
}

#[test]
fn limits_are_compared_with_the_state_of_the_meter() {
    let limits = Limits {
        rate: Some(RateLimit { limit: 5, window_seconds: 60 }),
        quota: Some(Quota { limit: 9, period: Period::Day }),
    };
    let record = Record { limits, ..record() };
    let (mut meter, hash) = (MeterState::default(), SecretHash::of(&secret()));
    let take = LeaseRequest { limits, version: record.version, need: 4, ..LeaseRequest::default() };
    meter.take(&take, NOW);
    let told = |meter: &MeterState, case: &Case| {
        let outlook = meter.look(limits, record.version, case.cost(), NOW);
        explain(&record, Some(&hash), Some(&outlook), case, &keyring(), NOW)
    };
    let compared = |explanation: &Explanation, check: &str| {
        let finding = explanation.checks.iter().find(|finding| finding.check == check).unwrap();
        serde_json::from_str::<Value>(finding.compared.get()).unwrap()
    };
    let one = told(&meter, &needing(&[]));
    assert_eq!((one.code.as_str(), one.detail.as_str()), ("VALID", "The edge lets this call pass."));
    assert_eq!(
        compared(&one, "rate_limit"),
        json!({"rate_limit": {"limit": 5, "window_seconds": 60}, "cost": 1, "remaining": 1, "reset_seconds": 62})
    );
    assert_eq!(
        (&compared(&one, "quota")["remaining"], one.checks.last().unwrap().check.as_str()),
        (&json!(5), "quota")
    );
    let two = told(&meter, &Case { cost: Some(2), ..needing(&[]) });
    assert_eq!((two.code.as_str(), two.status), ("RATE_LIMITED", 429));
    assert_eq!((result(&two, "rate_limit"), result(&two, "quota")), (CheckResult::Failed, CheckResult::Passed));
    assert!(asks_meter(&record, &needing(&[])) && !asks_meter(&record, &Case { at: Some(NOW), ..needing(&[]) }));
    let six = told(&meter, &Case { cost: Some(6), ..needing(&[]) });
    assert_eq!(six.code, "RATE_LIMITED", "as the edge says where both refuse");
    assert_eq!((result(&six, "rate_limit"), result(&six, "quota")), (CheckResult::Failed, CheckResult::Failed));
    assert!(six.detail.contains("never passes") && !two.detail.contains("never passes"), "{}", six.detail);
    assert_eq!(told(&meter, &Case { cost: Some(0), ..needing(&[]) }).code, "VALID");
    assert_eq!(compared(&told(&meter, &through("GET", "/v1/key")), "quota")["cost"], 0);
    assert_eq!(compared(&told(&meter, &through("GET", "/v1/contacts")), "quota")["cost"], 1);
}

#[test]
fn without_the_meter_the_limit_is_unknown_and_the_rest_stands() {
    let limits = Limits { rate: Some(RateLimit { limit: 5, window_seconds: 60 }), quota: None };
    let explanation = of(&Record { limits, ..record() }, &needing(&["contacts:read"]));
    assert_eq!(
        (result(&explanation, "rate_limit"), result(&explanation, "quota")),
        (CheckResult::Unknown, CheckResult::Passed)
    );
    assert_eq!(explanation.detail, "The edge lets this call pass. Not known: rate_limit.");
    let finding = explanation.checks.iter().find(|finding| finding.check == "rate_limit").unwrap();
    assert!(finding.detail.as_ref().unwrap().contains("has not answered"), "{finding:?}");
    assert_eq!(of(&Record { limits, active: false, ..record() }, &needing(&[])).code, "INACTIVE");
}

#[test]
fn another_secret_and_another_world_are_found_out() {
    let other = SecretHash::from_bytes([9; 32]);
    let explanation = explain(&record(), Some(&other), None, &needing(&[]), &keyring(), NOW);
    assert_eq!(explanation.code, "UNKNOWN_KEY");
    assert_eq!(result(&explanation, "secret_ends_at"), CheckResult::NotLookedAt);
    let test = Case { environment: Some(Environment::Test), ..needing(&[]) };
    assert_eq!(of(&record(), &test).code, "MALFORMED_KEY");
    assert_eq!(forged(&needing(&[]), NOW).code, "MALFORMED_KEY");
    assert_eq!(malformed(TokenError::Check, &needing(&[]), NOW).code, "MALFORMED_KEY");
}

#[test]
fn a_call_may_be_made_at_another_time() {
    let late = Case { at: record().expires_at, ..needing(&[]) };
    assert_eq!(of(&record(), &needing(&[])).code, "VALID");
    let explanation = of(&record(), &late);
    assert_eq!((explanation.code.as_str(), explanation.at), ("EXPIRED", record().expires_at.unwrap()));
}

#[test]
fn a_request_is_understood_or_refused_by_field() {
    let (subject, case) =
        read(r#"{"key_id":"JCgnh3DhfKRFKbvX","method":"GET","path":"/v1/contacts?limit=5","address":"::1"}"#).unwrap();
    assert!(matches!(subject, ExplainedKey::Id(id) if id.to_string() == "JCgnh3DhfKRFKbvX"));
    assert_eq!(case.wanted, Target::Route { method: "GET".into(), path: "/v1/contacts".into() });
    assert_eq!(case.address, "::1".parse().ok());
    let token = crate::token::Token { environment: Environment::Live, locator: record().locator, secret: secret() };
    let (subject, case) = read(&json!({"key": *token.reveal()}).to_string()).unwrap();
    assert!(
        matches!(subject, ExplainedKey::Key(id, _, hash) if id == record().locator && hash == SecretHash::of(&secret()))
    );
    assert_eq!(case.environment, Some(Environment::Live));
    assert!(matches!(read(r#"{"key":"x"}"#), Ok((ExplainedKey::Malformed(_), _))));
    let id = r#""key_id":"JCgnh3DhfKRFKbvX""#;
    for (json, field) in [
        ("{}".to_owned(), "key_id"),
        (r#"{"key_id":"x"}"#.to_owned(), "key_id"),
        (format!(r#"{{{id},"key":"x"}}"#), "key"),
        (format!(r#"{{{id},"scopes":["x"]}}"#), "scopes"),
        (format!(r#"{{{id},"method":"GET"}}"#), "path"),
        (format!(r#"{{{id},"path":"/"}}"#), "method"),
        (format!(r#"{{{id},"method":"GET","path":"/","scopes":["contacts:read"]}}"#), "scopes"),
        (format!(r#"{{{id},"method":"GET","path":"/","channel":"ch_1"}}"#), "channel"),
        (format!(r#"{{{id},"address":"here"}}"#), "address"),
        (format!(r#"{{{id},"environment":"x"}}"#), "environment"),
        (format!(r#"{{{id},"at":"now"}}"#), "at"),
        (format!(r#"{{{id},"method":"GET","path":"/","cost":1}}"#), "cost"),
    ] {
        assert_eq!(fields(&json), [field], "{json}");
    }
}

#[test]
fn nothing_of_a_credential_is_repeated() {
    let token = crate::token::Token { environment: Environment::Live, locator: record().locator, secret: secret() };
    let explanations = [
        of(&record(), &needing(&[])),
        malformed(crate::token::Token::parse(&format!("{}x", *token.reveal())).unwrap_err(), &needing(&[]), NOW),
    ];
    for explanation in explanations {
        let text = serde_json::to_string(&explanation).unwrap();
        assert!(!text.contains(secret().reveal()) && !text.contains("digest"), "{text}");
    }
}

proptest! {
    /// The explanation has the edge's code, for any record and request.
    #[test]
    fn the_edge_says_the_same(
        flags: [bool; 6],
        begin in proptest::option::of(-2i64..2),
        end in proptest::option::of(-2i64..2),
        secret_end in proptest::option::of(-2i64..2),
        granted: u64,
        required in 0u64..16,
        place in 0u8..3,
        channel in 0u8..3,
    ) {
        let [suspended, deleted, active, right, restricted, bound] = flags;
        let at = |millis: Option<i64>| millis.map(|millis| NOW.plus(millis));
        let mut record = Record {
            deleted,
            active,
            not_before: at(begin),
            expires_at: at(end),
            scopes: ScopeSet::from_known_bits(granted),
            channels: if bound { vec!["ch_1".into()] } else { Vec::new() },
            ..record()
        };
        record.workspace.suspended = suspended;
        record.secrets[0].ends_at = at(secret_end);
        if restricted {
            record.networks.deny = vec!["192.0.2.0/24".parse().unwrap()];
        }
        let address = [None, "192.0.2.1".parse().ok(), "::1".parse().ok()][usize::from(place)];
        // The explanation skips the check without a client IP, which the edge always knows.
        prop_assume!(address.is_some() || !restricted);
        let channel = [None, Some("ch_1"), Some("ch_2")][usize::from(channel)];
        let required = ScopeSet::from_known_bits(required);
        let presented = if right { SecretHash::of(&secret()) } else { SecretHash::from_bytes([9; 32]) };
        let call = AccessRequest { required, channel, address };
        let case = Case { wanted: Target::Scopes(required, channel.map(str::to_owned)), address, ..needing(&[]) };
        let decided = decide(&record, &presented, &call, &keyring(), NOW).map_or_else(|denial| denial.code(), |_| Code::Valid);
        let explained = explain(&record, Some(&presented), None, &case, &keyring(), NOW);
        prop_assert_eq!(explained.code, decided.as_str());
    }
}
