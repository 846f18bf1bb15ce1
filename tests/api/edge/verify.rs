//! `POST /v1/verify`: its outcomes and its request body.

use crate::{
    client::ApiClient,
    deployment::{Deployment, shared, wait},
    keys::{change, delete, forged, make, never_issued, with_another_secret},
};
use serde_json::{Value, json};

fn code(deployment: &Deployment, key: &str) -> String {
    verify(deployment, &json!({"key": key})).get("code").and_then(Value::as_str).unwrap().to_owned()
}

fn verify(deployment: &Deployment, body: &Value) -> Value {
    deployment.service().post("/v1/verify", body).expect_status(200).json()
}

#[test]
fn a_new_key_is_good_at_once() {
    let deployment = shared();
    let made = make(&deployment.owner(), "New", &["contacts:read", "messages:send"]);
    assert_eq!(
        verify(deployment, &json!({"key": made.key})),
        json!({
            "valid": true, "code": "VALID", "detail": "The key is good.", "key_id": made.id, "name": "New",
            "workspace": 1, "environment": "live", "scopes": ["contacts:read", "messages:send"],
        })
    );
}

#[test]
fn scopes_are_judged() {
    let deployment = shared();
    let made = make(&deployment.owner(), "Scopes", &["contacts:write"]);
    for (scopes, code, missing) in [
        (json!([]), "VALID", Value::Null),
        (json!(["contacts:write"]), "VALID", Value::Null),
        // Write access includes read access.
        (json!(["contacts:read"]), "VALID", Value::Null),
        (json!(["contacts:read", "messages:send"]), "SCOPE_MISSING", json!(["messages:send"])),
    ] {
        let described = verify(deployment, &json!({"key": made.key, "scopes": scopes}));
        assert_eq!(described["code"], code, "{scopes}");
        assert_eq!(described["valid"], code == "VALID", "{scopes}");
        assert_eq!(described["missing"], missing, "{scopes}");
    }
}

#[test]
fn a_bad_key_is_named_by_its_fault() {
    let deployment = shared();
    let good = make(&deployment.owner(), "Faults", &["contacts:read"]).key;
    let swapped = good.replacen("oc_live_", "oc_test_", 1);
    let mistyped = format!("{}{}", &good[..20], good[20..].chars().rev().collect::<String>());
    for (key, expected) in [
        ("", "MISSING_KEY"),
        ("x", "MALFORMED_KEY"),
        (&good[..good.len() - 1], "MALFORMED_KEY"),
        (&good[..30], "MALFORMED_KEY"),
        (&format!("{good}x"), "MALFORMED_KEY"),
        (&format!("\"{good}\""), "MALFORMED_KEY"),
        (&format!("Bearer {good}"), "MALFORMED_KEY"),
        (&mistyped, "MALFORMED_KEY"),
        (&swapped, "MALFORMED_KEY"),
        (&good.to_uppercase(), "MALFORMED_KEY"),
        (&"o".repeat(60_000), "MALFORMED_KEY"),
        (&forged(), "MALFORMED_KEY"),
        (&never_issued(deployment, 0), "UNKNOWN_KEY"),
        (&with_another_secret(&good), "UNKNOWN_KEY"),
    ] {
        let described = verify(deployment, &json!({"key": key}));
        assert_eq!(described["code"], expected, "{key}");
        assert_eq!(described["valid"], false);
        // A caller that does not hold the key learns nothing about it.
        assert_eq!(described.as_object().unwrap().len(), 3, "{described}");
    }
    assert_eq!(code(deployment, &good), "VALID");
    assert_eq!(code(deployment, &format!(" \t{good}\n")), "VALID", "white space comes with copying");
    let marked = verify(deployment, &json!({"key": format!("\u{feff}{good}")}));
    assert_eq!(marked["code"], "MALFORMED_KEY");
    assert!(marked["detail"].as_str().unwrap().contains("A byte order mark"), "{marked}");
    let before_the_json = format!("\u{feff}{}", json!({"key": good}));
    let caller = deployment.service().with("Content-Type", "application/json");
    assert_eq!(caller.send("POST", "/v1/verify", before_the_json).expect_status(200).at("/code"), "VALID");
}

#[test]
fn a_deactivated_key_is_refused_and_an_activated_one_works() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Switch", &["contacts:read"]);
    assert_eq!(code(deployment, &made.key), "VALID");
    change(&owner, &made.id, &json!({"status": "inactive"}));
    wait("refusing a deactivated key", || code(deployment, &made.key) == "INACTIVE");
    change(&owner, &made.id, &json!({"status": "active"}));
    wait("accepting an activated key", || code(deployment, &made.key) == "VALID");
}

#[test]
fn a_deleted_key_is_unknown() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Delete", &["contacts:read"]);
    assert_eq!(code(deployment, &made.key), "VALID");
    delete(&owner, &made.id);
    wait("refusing a deleted key", || code(deployment, &made.key) == "UNKNOWN_KEY");
}

#[test]
fn a_key_that_lost_a_scope_lacks_it() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Narrower", &["contacts:read", "messages:send"]);
    let ask = json!({"key": made.key, "scopes": ["messages:send"]});
    assert_eq!(verify(deployment, &ask)["code"], "VALID");
    change(&owner, &made.id, &json!({"scopes": ["contacts:read"]}));
    wait("noticing the lost scope", || verify(deployment, &ask)["code"] == "SCOPE_MISSING");
}

#[test]
fn an_expired_key_is_refused() {
    let deployment = shared();
    let owner = deployment.owner();
    let end = crate::keys::seconds_from_now(4);
    let body = json!({"name": "Short", "environment": "live", "scopes": ["contacts:read"], "expires_at": end});
    let answer = owner.post("/api/v1/keys", &body);
    let key = answer.expect_status(201).at("/key");
    assert_eq!(verify(deployment, &json!({"key": key}))["expires_at"], end);
    wait("refusing an expired key", || code(deployment, &key) == "EXPIRED");
    let about = owner.get(&format!("/api/v1/keys/{}", answer.at("/id")));
    assert_eq!((about.at("/status").as_str(), about.at("/reason").as_str()), ("inactive", "expired"));
}

#[test]
fn a_bad_body_is_explained() {
    let deployment = shared();
    let edge = deployment.service();
    let key = make(&deployment.owner(), "Bodies", &["contacts:read"]).key;
    let json = edge.with("Content-Type", "application/json");
    for body in ["", "{", "[]"] {
        json.send("POST", "/v1/verify", body).expect_problem(400, "invalid_json");
    }
    edge.post("/v1/verify", &json!({"key": key, "admin": true})).expect_fields(&["admin"]);
    edge.post("/v1/verify", &json!({"scopes": []})).expect_fields(&["key"]);
    edge.post("/v1/verify", &json!({"key": 7})).expect_fields(&["key"]);
    edge.post("/v1/verify", &json!({"key": key, "scopes": ["contacts:fly"]})).expect_fields(&["scopes"]);
    edge.post("/v1/verify", &json!({"key": "x".repeat(70_000)})).expect_problem(413, "body_too_large");
    // The response does not repeat a key from a wrong place.
    let answer = edge.post("/v1/verify", &json!({"key": 7, "scopes": [key]}));
    assert!(!answer.text.contains(&key), "{}", answer.text);
    let answer = json.send("POST", "/v1/verify", format!("{{\"key\": \"{key}"));
    assert!(!answer.text.contains(&key), "{}", answer.text);
}

#[test]
fn a_body_is_json_in_utf_8_and_not_compressed() {
    let deployment = shared();
    let edge = deployment.service();
    let key = make(&deployment.owner(), "Other bodies", &["contacts:read"]).key;
    let good = json!({"key": key}).to_string();
    let ask = |caller: &ApiClient, body: &[u8]| caller.send("POST", "/v1/verify", body);
    let of = |media: &str| edge.with("Content-Type", media);
    for caller in [
        edge.clone(),
        of("application/x-www-form-urlencoded"),
        of("text/json"),
        of("application/jsonx"),
        of("application/json").with("Content-Encoding", "gzip"),
    ] {
        let refused = ask(&caller, good.as_bytes());
        refused.expect_problem(415, "unsupported_media_type");
        let advice = "Send the body as Content-Type: application/json, without Content-Encoding.";
        assert_eq!(refused.at("/detail"), advice);
    }
    let body = |bytes: &[u8]| [b"{\"key\": \"".as_slice(), bytes, b"\"}"].concat();
    // A wrong byte, a character that is cut off, a surrogate, and the replacement character.
    let unreadable = [b"\xff\xfe".as_slice(), b"\xe2\x82", b"\xed\xa0\x80", "\u{fffd}".as_bytes()].map(body);
    let detail = "The body is not UTF-8, or it contains the replacement character U+FFFD.";
    for media in ["application/json", "Application/JSON; charset=utf-8"] {
        // A fault in one body does not affect the next request.
        for piecewise in [false, true] {
            let caller = if piecewise { of(media).with("Transfer-Encoding", "chunked") } else { of(media) };
            for body in &unreadable {
                assert_eq!(ask(&caller, body).expect_problem(400, "invalid_json").at("/detail"), detail);
            }
            assert_eq!(ask(&caller, &body("ä€😀".as_bytes())).expect_status(200).at("/code"), "MALFORMED_KEY");
            assert_eq!(ask(&caller, good.as_bytes()).expect_status(200).at("/code"), "VALID");
        }
    }
}
