//! `/api/v1/usage`, `usage` of a key, and `last_used_at`.

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, shared, wait},
    keys::{change, delete, list, make, never_issued, seconds_from_now},
};
use ownchat_domain::{time::Timestamp, token::Token};
use serde_json::{Value, json};

fn of(id: &str, query: &str) -> String {
    format!("/api/v1/keys/{id}/usage?{query}")
}

/// Verifies a key for requests that need these scopes, and returns the outcome.
fn check(deployment: &Deployment, key: &str, scopes: &[&str]) -> String {
    deployment.service().post("/v1/verify", &json!({"key": key, "scopes": scopes})).expect_status(200).at("/code")
}

fn totals(owner: &ApiClient, path: &str) -> Value {
    owner.get(path).expect_status(200).json()["totals"].clone()
}

/// Asserts that the series has no gaps, and that the totals are its sum.
fn is_whole(answer: &Answer, step: i64) {
    let body = answer.json();
    let time = |value: &Value| Timestamp::parse(value.as_str().unwrap()).unwrap();
    let series = body["series"].as_array().unwrap();
    let mut at = time(&body["from"]);
    assert_eq!(at.millis() % step, 0, "{body}");
    let mut sum = 0;
    for point in series {
        assert_eq!(time(&point["at"]), at, "{body}");
        let total = point["total"].as_u64().unwrap();
        let outcomes: u64 = point["outcomes"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(total, outcomes, "{point}");
        at = at.plus(step);
        sum += total;
    }
    assert_eq!(at, time(&body["to"]), "{body}");
    assert_eq!(body["totals"]["total"], json!(sum), "{body}");
}

#[test]
fn a_key_that_was_never_used_has_a_series_without_calls() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Never used", &["contacts:read"]);
    let answer = owner.get(&format!("/api/v1/keys/{}/usage", made.id));
    is_whole(answer.expect_status(200), 3_600_000);
    let body = answer.json();
    assert_eq!((&body["step"], body["series"].as_array().map(Vec::len)), (&json!("hour"), Some(24)));
    assert_eq!(body["totals"], json!({"total": 0, "outcomes": {}, "scopes": {}}));
    for (step, points, millis) in [("minute", 60, 60_000), ("hour", 24, 3_600_000), ("day", 30, 86_400_000)] {
        let answer = owner.get(&of(&made.id, &format!("step={step}")));
        is_whole(answer.expect_status(200), millis);
        assert_eq!(answer.json()["series"].as_array().map(Vec::len), Some(points), "{step}");
    }
    for about in [owner.get(&format!("/api/v1/keys/{}", made.id)).json(), made.about] {
        assert_eq!((about.get("last_used_at"), about["secrets"][0].get("last_used_at")), (None, None));
    }
}

#[test]
fn every_call_is_counted_under_its_outcome_and_scopes() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Counted", &["contacts:read", "messages:read"]);
    for _ in 0..3 {
        assert_eq!(check(deployment, &made.key, &["contacts:read"]), "VALID");
    }
    assert_eq!(check(deployment, &made.key, &["contacts:read", "messages:read"]), "VALID");
    for _ in 0..2 {
        assert_eq!(check(deployment, &made.key, &["messages:send"]), "SCOPE_MISSING");
    }
    assert_eq!(check(deployment, &made.key, &[]), "VALID");
    let expected = json!({
        "total": 7,
        "outcomes": {"VALID": 5, "SCOPE_MISSING": 2},
        "scopes": {"contacts:read": 4, "messages:read": 1, "messages:send": 2},
    });
    wait("counting", || totals(&owner, &of(&made.id, ""))["total"] == json!(7));
    for step in ["minute", "hour", "day"] {
        assert_eq!(totals(&owner, &of(&made.id, &format!("step={step}"))), expected, "{step}");
    }
    is_whole(&owner.get(&of(&made.id, "step=minute")), 60_000);
    for (query, expected) in [
        (
            "outcome=SCOPE_MISSING",
            json!({"total": 2, "outcomes": {"SCOPE_MISSING": 2}, "scopes": {"messages:send": 2}}),
        ),
        ("scope=contacts:read", json!({"total": 4, "outcomes": {"VALID": 4}, "scopes": {"contacts:read": 4}})),
        ("outcome=EXPIRED", json!({"total": 0, "outcomes": {}, "scopes": {}})),
    ] {
        assert_eq!(totals(&owner, &of(&made.id, query)), expected, "{query}");
    }
    // Nothing counts under another time.
    let before = seconds_from_now(-2 * 3_600);
    assert_eq!(totals(&owner, &of(&made.id, &format!("to={before}")))["total"], json!(0));
}

#[test]
fn all_keys_together_are_the_workspace() {
    let own = Deployment::set_up();
    let owner = own.owner();
    assert_eq!(totals(&owner, "/api/v1/usage")["total"], json!(0));
    let (one, two) = (make(&owner, "One", &["contacts:read"]), make(&owner, "Two", &["contacts:read"]));
    for key in [&one.key, &two.key, &two.key] {
        assert_eq!(check(&own, key, &["contacts:read"]), "VALID");
    }
    wait("counting", || totals(&owner, "/api/v1/usage")["total"] == json!(3));
    assert_eq!(
        totals(&owner, "/api/v1/usage?step=day"),
        json!({
            "total": 3, "outcomes": {"VALID": 3}, "scopes": {"contacts:read": 3},
        })
    );
    // The counts of a deleted key stay in the workspace's totals.
    delete(&owner, &two.id);
    assert_eq!(totals(&owner, "/api/v1/usage")["total"], json!(3));
    owner.get(&of(&two.id, "")).expect_problem(404, "not_found");
    is_whole(&owner.get("/api/v1/usage?step=minute"), 60_000);
}

#[test]
fn a_key_says_when_it_and_its_secrets_were_last_used() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Last used", &["contacts:read"]);
    let path = format!("/api/v1/keys/{}", made.id);
    let earliest = Timestamp::parse(&seconds_from_now(-1)).unwrap();
    assert_eq!(check(deployment, &made.key, &[]), "VALID");
    wait("noting the use", || owner.get(&path).json().get("last_used_at").is_some());
    let first = owner.get(&path).json();
    let used = Timestamp::parse(first["last_used_at"].as_str().unwrap()).unwrap();
    assert!(earliest <= used && used <= Timestamp::parse(&seconds_from_now(1)).unwrap(), "{first}");
    assert_eq!(first["secrets"][0]["last_used_at"], first["last_used_at"]);
    // The list agrees.
    let listed = list(&owner).into_iter().find(|key| key["id"] == made.id.as_str()).unwrap();
    assert_eq!((&listed["last_used_at"], &listed["secrets"]), (&first["last_used_at"], &first["secrets"]));
    // A new secret has a last use of its own. The key shows the latest.
    let newer = owner.post(&format!("{path}/rotate"), &json!({"overlap_seconds": 3_600})).expect_status(200).at("/key");
    assert_eq!(Token::parse(&newer).unwrap().locator.to_string(), made.id);
    assert_eq!(check(deployment, &newer, &[]), "VALID");
    wait("noting the use", || owner.get(&path).json()["secrets"][1].get("last_used_at").is_some());
    let second = owner.get(&path).json();
    assert_eq!(second["secrets"][0]["last_used_at"], first["last_used_at"]);
    assert_eq!(second["secrets"][1]["last_used_at"], second["last_used_at"]);
    // A use does not change the version.
    assert_eq!(second["version"], json!(2));
    change(&owner, &made.id, &json!({"name": "Last used, and changed"}));
}

/// Sends a request to the management API with a key. Receives the path of that key.
type Act<'a> = &'a dyn Fn(&ApiClient, &str) -> Answer;

#[test]
fn every_call_of_the_management_api_is_a_use_of_its_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let body = |name: &str| json!({"name": name, "environment": "live", "scopes": ["contacts:read"]});
    let other = format!("/api/v1/keys/{}", make(&owner, "Managed by others", &["contacts:read"]).id);
    let overlap = json!({"overlap_seconds": 60});
    let seen = |program: &ApiClient| program.with("If-Match", "\"1\"");
    // Each is the only request of its key. The last two are refused.
    let calls: [(&str, u16, Act); 9] = [
        ("keys:self", 200, &|program, own| program.get(own)),
        ("keys:self", 200, &|program, own| seen(program).json("PATCH", own, &json!({"status": "inactive"}))),
        ("keys:self", 200, &|program, own| program.post(&format!("{own}/rotate"), &overlap)),
        ("keys:read", 200, &|program, _| program.get("/api/v1/keys")),
        ("keys:write", 201, &|program, _| program.post("/api/v1/keys", &body("Made by its use"))),
        ("keys:write", 201, &|program, _| program.post(&format!("{other}/duplicate"), &json!({}))),
        ("audit:read", 200, &|program, _| program.get("/api/v1/audit")),
        ("contacts:read", 403, &|program, _| program.get("/api/v1/keys")),
        ("keys:read", 403, &|program, _| seen(program).send("DELETE", &other, "")),
    ];
    let used = calls.map(|(scope, status, call)| {
        let made = make(&owner, "Used for managing alone", &[scope, "contacts:read"]);
        let path = format!("/api/v1/keys/{}", made.id);
        assert_eq!(owner.get(&path).json().get("last_used_at"), None);
        call(&deployment.console().without("Origin").bearing(&made.key), &path).expect_status(status);
        path
    });
    for path in used {
        wait("noting the use", || owner.get(&path).json().get("last_used_at").is_some());
        let about = owner.get(&path).json();
        assert_eq!(about["secrets"][0]["last_used_at"], about["last_used_at"]);
    }
}

#[test]
fn a_key_that_was_changed_says_it_too() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Used and changed", &["contacts:read"]);
    let path = format!("/api/v1/keys/{}", made.id);
    assert_eq!(check(deployment, &made.key, &[]), "VALID");
    wait("noting the use", || owner.get(&path).json().get("last_used_at").is_some());
    let used = owner.get(&path).json()["last_used_at"].clone();
    let says = |answer: &Answer| {
        let about = answer.expect_status(200).json();
        assert_eq!((&about["last_used_at"], &about["secrets"][0]["last_used_at"]), (&used, &used), "{about}");
    };
    let tag = owner.get(&path).header("etag").to_owned();
    says(&owner.with("If-Match", tag).json("PATCH", &path, &json!({"name": "Changed"})));
    says(&owner.post(&format!("{path}/rotate"), &json!({"overlap_seconds": 3_600})));
    says(&owner.post(&format!("{path}/end-old-secrets"), &json!({})));
    delete(&owner, &made.id);
    says(&owner.post(&format!("{path}/restore"), &json!({})));
    // A duplicate starts without a last use. After its first use, a replayed response includes it.
    let copy = || owner.with("Idempotency-Key", "copy-of-a-used-key").post(&format!("{path}/duplicate"), &json!({}));
    let first = copy();
    assert_eq!(first.expect_status(201).json().get("last_used_at"), None);
    assert_eq!(check(deployment, &first.at("/key"), &[]), "VALID");
    let of_copy = format!("/api/v1/keys/{}", first.at("/id"));
    wait("noting the use", || owner.get(&of_copy).json().get("last_used_at").is_some());
    assert_eq!(copy().at("/last_used_at"), owner.get(&of_copy).at("/last_used_at"));
}

#[test]
fn a_bad_parameter_is_named() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Asked", &["contacts:read"]);
    let (now, old, older) = (seconds_from_now(0), seconds_from_now(-3 * 86_400), seconds_from_now(-62 * 86_400));
    let ancient = seconds_from_now(-733 * 86_400);
    let day_and_more = seconds_from_now(-26 * 3_600);
    for (query, field) in [
        ("colour=red".to_owned(), "colour"),
        ("step=second".to_owned(), "step"),
        ("from=yesterday".to_owned(), "from"),
        ("outcome=FINE".to_owned(), "outcome"),
        ("scope=contacts:eat".to_owned(), "scope"),
        (format!("step=minute&from={old}"), "from"),
        (format!("from={older}"), "from"),
        (format!("step=day&from={ancient}"), "from"),
        (format!("from={}", seconds_from_now(7_200)), "from"),
        (format!("from={now}&to={old}"), "to"),
        (format!("step=minute&from={day_and_more}"), "step"),
    ] {
        for path in [of(&made.id, &query), format!("/api/v1/usage?{query}")] {
            owner.get(&path).expect_fields(&[field]);
        }
    }
    for query in [format!("step=hour&from={old}"), format!("step=day&from={older}"), format!("to={now}")] {
        owner.get(&of(&made.id, &query)).expect_status(200);
    }
    let wrong = owner.get(&of(&made.id, &format!("step=minute&from={old}"))).at("/errors/0/message");
    assert!(wrong.contains("48 hours") && wrong.contains("or by hour"), "{wrong}");
    owner.post(&of(&made.id, ""), &json!({})).expect_problem(405, "method_not_allowed");
}

#[test]
fn usage_is_for_those_who_may_see_the_key() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Seen", &["contacts:read"]);
    for path in [of(&made.id, ""), of("nonsense", ""), "/api/v1/usage".to_owned()] {
        deployment.console().get(&path).expect_problem(401, "not_signed_in");
    }
    let elsewhere = Token::parse(&never_issued(deployment, 0)).unwrap().locator.to_string();
    for id in ["nonsense", "0123456789abcdef", &elsewhere] {
        owner.get(&of(id, "")).expect_problem(404, "not_found");
        // A missing key is reported before a fault in the query.
        owner.get(&of(id, "step=hour&from=2000-01-01T00:00:00Z")).expect_problem(404, "not_found");
    }
    delete(&owner, &made.id);
    owner.get(&of(&made.id, "")).expect_problem(404, "not_found");
}
