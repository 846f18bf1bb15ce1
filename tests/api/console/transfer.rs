//! Export and import of a workspace as a file: `/api/v1/export` and `/api/v1/import`.

use crate::{
    client::{Answer, ApiClient},
    deployment::{Deployment, shared, wait},
    keys::{change, delete, list, make},
};
use serde_json::json;

const NDJSON: &str = "application/x-ndjson";

fn export(owner: &ApiClient) -> String {
    let answer = owner.get("/api/v1/export");
    answer.expect_status(200);
    assert_eq!(answer.header("content-type"), NDJSON);
    assert!(answer.header("content-disposition").starts_with("attachment"));
    answer.text
}

fn import(owner: &ApiClient, file: &str) -> Answer {
    owner.with("Content-Type", NDJSON).send("POST", "/api/v1/import", file)
}

fn code(deployment: &Deployment, key: &str) -> String {
    deployment.service().post("/v1/verify", &json!({"key": key})).expect_status(200).at("/code")
}

#[test]
fn a_workspace_goes_through_a_file_and_comes_back_the_same() {
    let own = Deployment::set_up();
    let owner = own.owner();
    let (on, off, gone) = (
        make(&owner, "On", &["contacts:read"]),
        make(&owner, "Off", &["contacts:read"]),
        make(&owner, "Gone", &["contacts:read"]),
    );
    change(&owner, &off.id, &json!({"status": "inactive", "reason": "caf\u{e9} \"x\""}));
    delete(&owner, &gone.id);
    // More than one part, and longer than a body that is read at once.
    for number in 0..150 {
        make(&owner, &format!("Key {number}"), &["contacts:read", "messages:send"]);
    }
    let file = export(&owner);
    assert!(file.len() > 64 * 1024, "{} bytes", file.len());
    assert_eq!(export(&owner), file, "that it was exported changes nothing in it");

    let other = Deployment::with_secrets_of(&own);
    let admin = other.owner();
    let answer = import(&admin, &file);
    assert_eq!((answer.expect_status(200).at("/keys"), answer.at("/trail")), ("153".into(), "155".into()));
    assert_eq!(export(&admin), file, "byte for byte");
    assert_eq!(list(&admin), list(&owner));
    assert_eq!(code(&other, &on.key), "VALID");
    assert_eq!(code(&other, &off.key), "INACTIVE");
    assert_eq!(code(&other, &gone.key), "UNKNOWN_KEY");
    admin.send("POST", &format!("/api/v1/keys/{}/restore", gone.id), "").expect_status(200);
    wait("accepting a restored key", || code(&other, &gone.key) == "VALID");
    let trail = admin.get("/api/v1/audit?action=workspace.import").expect_status(200).json();
    assert_eq!(trail["data"][0]["after"]["lines"], 309, "{trail}");
}

#[test]
fn a_damaged_file_is_refused_at_its_line() {
    let own = Deployment::set_up();
    make(&own.owner(), "One", &["contacts:read"]);
    make(&own.owner(), "Two", &["contacts:read"]);
    let file = export(&own.owner());
    let other = Deployment::with_secrets_of(&own);
    let admin = other.owner();
    let cut: String = file.lines().take(3).flat_map(|line| [line, "\n"]).collect();
    for (damaged, line) in [
        (file.replacen("\"Two\"", "\"Too\"", 1), "line 6"),
        (file.replacen("{\"line\":{\"sequence\":2", "{\"line\":{\"sequence\":3", 1), "line 5"),
        (cut, "line 4"),
        (String::new(), "line 1"),
        ("{}\n".into(), "line 1"),
        ("x".repeat(300_000), "line 1"),
    ] {
        import(&admin, &damaged).expect_fields(&[line]);
        assert!(list(&admin).is_empty(), "a refused file has left keys behind");
    }
    admin.post("/api/v1/import", &json!({})).expect_problem(415, "unsupported_media_type");
    // As an editor or a shell of another system would save it.
    import(&admin, &format!("\u{feff}{}", file.replace('\n', "\r\n"))).expect_status(200);
    assert_eq!(list(&admin).len(), 2);
    assert_eq!(export(&admin), file, "byte for byte");
}

#[test]
fn a_file_is_read_only_where_nothing_was_done() {
    let deployment = shared();
    let owner = deployment.owner();
    make(&owner, "There already", &["contacts:read"]);
    let before = list(&owner);
    let file = export(&owner);
    import(&owner, &file).expect_fields(&["workspace"]);
    assert_eq!(list(&owner), before);
}

#[test]
fn export_and_import_are_for_owners() {
    let deployment = shared();
    let nobody = deployment.console();
    nobody.get("/api/v1/export").expect_problem(401, "not_signed_in");
    import(&nobody, "").expect_problem(401, "not_signed_in");
    let elsewhere = deployment.owner().without("Origin").with("Origin", "https://evil.example");
    import(&elsewhere, "").expect_status(403);
}
