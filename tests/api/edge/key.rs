//! `GET /v1/key`, and the headers that carry a key.

use crate::{
    deployment::{shared, wait},
    keys::{change, forged, make, never_issued, with_another_secret},
};
use serde_json::json;

const INVALID_TOKEN: &str = "Bearer realm=\"Ownchat\", error=\"invalid_token\"";

#[test]
fn either_header_carries_a_key() {
    let deployment = shared();
    let made = make(&deployment.owner(), "Headers", &["contacts:read"]);
    let edge = deployment.edge();
    let scheme_in_small = edge.with("Authorization", format!("bearer {}", made.key));
    for caller in [edge.bearing(&made.key), edge.with("X-API-Key", made.key.as_str()), scheme_in_small] {
        let answer = caller.get("/v1/key");
        answer.expect_status(200);
        assert_eq!(answer.at("/key_id"), made.id);
        assert_eq!(answer.at("/valid"), "true");
    }
}

#[test]
fn no_key_is_asked_for() {
    let deployment = shared();
    let edge = deployment.edge();
    for caller in [edge.clone(), edge.with("X-API-Key", ""), edge.with("Authorization", "Basic YTpi")] {
        let answer = caller.get("/v1/key");
        answer.expect_problem(401, "MISSING_KEY");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"Ownchat\"");
    }
}

#[test]
fn a_key_in_a_malformed_header_is_refused_with_the_reason() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Clothes", &["contacts:read"]).key;
    let edge = deployment.edge();
    let authorized = |value: String| edge.with("Authorization", value);
    for (caller, code, word) in [
        (authorized(format!("Token {key}")), "MISSING_KEY", "begin with the word Bearer"),
        (authorized(key.clone()), "MISSING_KEY", "begin with the word Bearer"),
        (authorized(format!("Bearer\t{key}")), "MISSING_KEY", "No space follows the word Bearer"),
        (authorized(format!("Bearer{key}")), "MISSING_KEY", "No space follows the word Bearer"),
        (authorized(format!("Bearer \"{key}\"")), "MALFORMED_KEY", "quotes"),
        (authorized(format!("Bearer Bearer {key}")), "MALFORMED_KEY", "the key alone"),
        (edge.with("X-API-Key", format!("Bearer {key}")), "MALFORMED_KEY", "the key alone"),
        (authorized(format!("Bearer {}", &key[..54])), "MALFORMED_KEY", "54 characters"),
        (authorized(format!("Bearer {key}{key}")), "MALFORMED_KEY", "110 characters"),
    ] {
        for path in ["/v1/key", "/v1/contacts"] {
            let answer = caller.get(path);
            let detail = answer.expect_problem(401, code).at("/detail");
            assert!(detail.contains(word), "{detail}");
            assert!(!answer.text.contains(&key[26..54]), "the secret is told: {}", answer.text);
        }
    }
    authorized(format!("Bearer   {key} ")).get("/v1/key").expect_status(200);
}

#[test]
fn two_credentials_are_ambiguous() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Two", &["contacts:read"]).key;
    let edge = deployment.edge();
    for caller in [
        edge.bearing(&key).with("X-API-Key", key.as_str()),
        edge.bearing(&key).bearing(&key),
        edge.with("X-API-Key", key.as_str()).with("X-API-Key", key.as_str()),
    ] {
        for path in ["/v1/key", "/v1/contacts"] {
            let answer = caller.get(path);
            answer.expect_problem(400, "ambiguous_key");
            assert!(!answer.text.contains(&key));
        }
    }
}

#[test]
fn a_key_in_the_address_is_not_read() {
    let deployment = shared();
    let key = make(&deployment.owner(), "Query", &["contacts:read"]).key;
    for name in ["key", "api_key", "apikey", "access_token", "X-API-Key"] {
        for path in ["/v1/key", "/v1/contacts"] {
            let answer = deployment.edge().get(&format!("{path}?{name}={key}"));
            let detail = answer.expect_problem(401, "MISSING_KEY").at("/detail");
            assert!(detail.contains("Rotate it"), "{detail}");
            assert!(!answer.text.contains(&key));
            // Next to a key in a header, the gateway would forward it to the upstream in the URL.
            for key_in_url in [key.clone(), key.replace('_', "%5F"), key.replacen("oc", "%6F%63", 1)] {
                let beside = deployment.edge().bearing(&key).get(&format!("{path}?{name}={key_in_url}"));
                let detail = beside.expect_problem(400, "ambiguous_key").at("/detail");
                assert!(detail.contains("is in the URL") && detail.contains("Rotate it"), "{detail}");
            }
            let in_path = deployment.edge().bearing(&key).get(&format!("/v1/contacts/{key}"));
            assert!(!in_path.expect_problem(400, "ambiguous_key").text.contains(&key));
            let unread = deployment.edge().with("Authorization", "Bearer\tk").get(&format!("{path}?{name}={key}"));
            assert!(unread.expect_problem(401, "MISSING_KEY").at("/detail").contains("Rotate it"));
        }
    }
}

#[test]
fn a_bad_key_is_refused_with_a_challenge() {
    let deployment = shared();
    let good = make(&deployment.owner(), "Challenge", &["contacts:read"]).key;
    for (key, code) in [
        ("nonsense", "MALFORMED_KEY"),
        (&good[..40], "MALFORMED_KEY"),
        (&forged(), "MALFORMED_KEY"),
        (&never_issued(deployment, 0), "UNKNOWN_KEY"),
        (&with_another_secret(&good), "UNKNOWN_KEY"),
    ] {
        for path in ["/v1/key", "/v1/contacts"] {
            let answer = deployment.edge().bearing(key).get(path);
            answer.expect_problem(401, code);
            assert_eq!(answer.header("www-authenticate"), INVALID_TOKEN);
            assert!(!answer.text.contains(key), "{}", answer.text);
        }
    }
}

#[test]
fn an_inactive_key_is_refused() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Inactive", &["contacts:read"]);
    let caller = deployment.edge().bearing(&made.key);
    caller.get("/v1/key").expect_status(200);
    change(&owner, &made.id, &json!({"status": "inactive"}));
    wait("refusing", || caller.get("/v1/key").status == 401);
    caller.get("/v1/key").expect_problem(401, "INACTIVE");
    caller.get("/v1/contacts").expect_problem(401, "INACTIVE");
}
