//! The content of the stores, and the behaviour after the loss of one.

use crate::{
    deployment::{Deployment, SETUP_TOKEN, wait},
    keys::{change, make},
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Returns every file below a folder whose path contains this text.
pub fn files(folder: &Path, text: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { files(&path, text) } else { vec![path] }
        })
        .filter(|path| path.to_string_lossy().contains(text))
        .collect()
}

/// Returns the files of the KV values that contain this text.
fn copies(deployment: &Deployment, text: &str) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    files(&deployment.data(), "blobs").into_iter().filter(holds).collect()
}

fn code(deployment: &Deployment, key: &str) -> String {
    deployment.service().post("/v1/verify", &json!({"key": key})).expect_status(200).at("/code")
}

#[test]
fn the_edge_decides_from_the_copy_in_kv() {
    let mut own = Deployment::set_up();
    let owner = own.owner();
    let on = make(&owner, "Published and on", &["contacts:read"]);
    let off = make(&owner, "Published and off", &["contacts:read"]);
    change(&owner, &off.id, &json!({"status": "inactive", "name": "Switched off"}));
    wait("the records to reach KV", || {
        !copies(&own, "Published and on").is_empty() && !copies(&own, "Switched off").is_empty()
    });
    own.stop();
    // Without the registry, only KV has their records.
    let registries = files(&own.data(), "Registry");
    assert!(!registries.is_empty());
    for file in registries {
        fs::remove_file(file).unwrap();
    }
    own.resume(&[]);
    assert_eq!(code(&own, &on.key), "VALID");
    assert_eq!(code(&own, &off.key), "INACTIVE");
}

#[test]
fn an_altered_copy_is_never_honoured() {
    let mut own = Deployment::set_up();
    let made = make(&own.owner(), "To be altered", &["contacts:read"]);
    wait("the record to reach KV", || !copies(&own, "To be altered").is_empty());
    own.stop();
    for file in copies(&own, "To be altered") {
        let mut bytes = fs::read(&file).unwrap();
        let place = bytes.windows(5).position(|window| window == b"To be").unwrap();
        // A name does not affect the decision, but any change breaks the seal.
        *bytes.get_mut(place).unwrap() = b'D';
        fs::write(&file, bytes).unwrap();
    }
    own.resume(&[]);
    let answer = own.service().post("/v1/verify", &json!({"key": made.key}));
    assert_eq!((answer.at("/code").as_str(), answer.at("/name").as_str()), ("VALID", "To be altered"));
    own.stop();
    for file in files(&own.data(), "Registry") {
        fs::remove_file(file).unwrap();
    }
    own.resume(&[]);
    assert_eq!(code(&own, &made.key), "UNKNOWN_KEY", "the altered copy decided");
}

#[test]
fn a_made_up_session_leaves_nothing_behind() {
    let own = Deployment::set_up();
    let session = own.owner().session.unwrap();
    let (_, signed) = session.split_once('.').unwrap();
    let people = || {
        let files = files(&own.data(), "Person");
        let objects: BTreeSet<_> = files.iter().filter_map(|path| path.file_stem().map(ToOwned::to_owned)).collect();
        objects
    };
    let before = people();
    assert!(before.len() > 1, "{before:?}");
    for number in 0..20 {
        for rest in ["AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", signed] {
            let made_up = own.console().in_session(Some(format!("{number:016x}.{rest}")));
            made_up.get("/api/v1/session").expect_problem(401, "not_signed_in");
        }
    }
    assert_eq!(people(), before, "an object was made for an account that nobody has");
}

#[test]
fn nobody_chooses_their_own_address() {
    let mut own = Deployment::set_up();
    let liar = own
        .owner()
        .with("CF-Connecting-IP", "203.0.113.77")
        .with("X-Forwarded-For", "203.0.113.78")
        .with("X-Real-IP", "203.0.113.79");
    make(&liar, "From where", &["contacts:read"]);
    own.stop();
    let kept: Vec<u8> = files(&own.data(), "Registry").iter().flat_map(|file| fs::read(file).unwrap()).collect();
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("From where") && holds("127.0.0.1"), "the trail says nothing of the address");
    assert!(!holds("203.0.113.7"), "the caller chose the address that stands in the trail");
}

#[test]
fn a_store_that_is_lost_stands_in_the_log_and_is_no_new_one() {
    let mut own = Deployment::set_up();
    let made = make(&own.owner(), "Lost", &["contacts:read"]);
    own.stop();
    let copies: Vec<_> =
        files(&own.data(), "Instance").into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect();
    for (_, file) in &copies {
        fs::remove_file(file).unwrap();
    }
    own.resume(&[]);
    let console = own.console();
    let setup = json!({
        "token": SETUP_TOKEN, "name": "Eve", "email": "eve@example.com", "password": "quite another password",
        "workspace": "Evil",
    });
    console.post("/api/v1/setup", &setup).expect_problem(503, "UNAVAILABLE");
    console.get(&format!("/setup?token={SETUP_TOKEN}")).expect_status(503);
    let log = || fs::read_to_string(own.log()).unwrap();
    assert!(log().contains("the store of the deployment is lost"), "{}", log());
    own.stop();
    for (bytes, file) in copies {
        fs::write(file, bytes).unwrap();
    }
    for file in files(&own.data(), "Registry") {
        fs::remove_file(file).unwrap();
    }
    own.resume(&[]);
    let owner = own.owner();
    for path in ["/api/v1/keys", "/api/v1/workspace", &format!("/api/v1/keys/{}", made.id)] {
        owner.get(path).expect_problem(503, "UNAVAILABLE");
    }
    let log = fs::read_to_string(own.log()).unwrap();
    assert!(log.contains("the store of workspace 1 is lost"), "{log}");
}
