//! Secrets in plain text exist nowhere. The test plants secrets, uses them in every way, and
//! searches every file, log and page.

use crate::{
    client::OWNER,
    deployment::{Deployment, wait},
    keys::{change, delete, forged, make},
};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Present in every store in plain text, so it shows that the search works.
const MARK: &str = "Mark of the search";

#[test]
fn no_secret_is_stored_logged_or_shown() {
    let mut own = Deployment::set_up();
    let owner = own.signed_in();
    let kept = make(&owner, MARK, &["contacts:read"]);
    let deleted = make(&owner, "Deleted", &["contacts:read"]);
    let form = [("name", "By form"), ("environment", "live"), ("expiry", "30"), ("scopes", "contacts:read")];
    let page = owner.form("/settings/developer/api-keys/new", &form).expect_status(200).text.clone();
    let by_form = page.split("value=\"oc_live_").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let secrets: Vec<(&str, String)> = vec![
        ("the secret of a key made by a form", by_form[by_form.len() - 30..by_form.len() - 6].to_owned()),
        ("a key", kept.key.clone()),
        ("the secret of a key", kept.key[kept.key.len() - 30..kept.key.len() - 6].to_owned()),
        ("the secret of a deleted key", deleted.key[deleted.key.len() - 30..deleted.key.len() - 6].to_owned()),
        ("a password", OWNER.password.to_owned()),
        ("a wrong password", "a wrong password of the search".to_owned()),
        ("a session", owner.session.clone().unwrap()),
        ("the secret of a session", owner.session.clone().unwrap().split_once('.').unwrap().1.to_owned()),
    ];
    // Uses the keys in every way, also where they do not belong.
    for key in [&kept.key, &deleted.key] {
        own.edge().bearing(key).get("/v1/contacts").expect_status(200);
        own.edge().get(&format!("/v1/contacts?key={key}")).expect_status(401);
        own.edge().get(&format!("/v1/{key}")).expect_status(404);
        own.service().post("/v1/verify", &json!({"key": key, key: 1})).expect_status(422);
        own.edge().bearing(key).bearing(key).get("/v1/key").expect_status(400);
        let named = json!({"name": "n", "environment": key, "scopes": [key]});
        assert!(!owner.post("/api/v1/keys", &named).expect_status(422).text.contains(key.as_str()));
        assert!(!owner.get(&format!("/api/v1/keys?colour={key}")).expect_status(422).text.contains(key.as_str()));
        for page in [format!("/settings/{key}"), format!("/settings/developer/api-keys?q=Bearer+{key}")] {
            let answer = owner.get(&page);
            let secret = &key[key.len() - 30..];
            let location = answer.expect_status(303).header("location");
            assert!(!location.contains(secret) && !answer.text.contains(secret), "{location}");
        }
    }
    own.edge().bearing(&forged()).get("/v1/contacts").expect_status(401);
    let wrong = json!({"email": OWNER.email, "password": "a wrong password of the search"});
    owner.post("/api/v1/session", &wrong).expect_status(401);
    change(&owner, &kept.id, &json!({"status": "inactive"}));
    wait("refusing", || own.edge().bearing(&kept.key).get("/v1/key").status == 401);
    delete(&owner, &deleted.id);
    let key = format!("/settings/developer/api-keys/{}", kept.id);
    let delete = format!("{key}/delete");
    for page in [
        "/",
        "/settings",
        "/settings/developer/api-keys",
        key.as_str(),
        delete.as_str(),
        "/api/v1/keys",
        "/api/v1/session",
        "/sign-in",
    ] {
        refuse_secrets(page, owner.get(page).text.as_bytes(), &secrets);
    }
    own.stop();

    let mut files = vec![own.log()];
    collect(&own.data(), &mut files);
    let mut mark_seen = false;
    for file in &files {
        let content = fs::read(file).unwrap();
        refuse_secrets(&file.display().to_string(), &content, &secrets);
        mark_seen |= holds(&content, MARK);
    }
    assert!(files.len() > 5, "{files:?}");
    assert!(mark_seen, "the search finds nothing at all: it looks at the wrong files");
}

fn refuse_secrets(place: &str, content: &[u8], secrets: &[(&str, String)]) {
    for (name, secret) in secrets {
        assert!(!holds(content, secret), "{name} stands in {place}");
    }
}

fn holds(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|window| window == text.as_bytes())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}
