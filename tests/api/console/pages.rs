//! Rules for all pages: sessions, headers, caching and methods.

use crate::{deployment::shared, keys::make};

const INSIDE: [&str; 4] = ["/", "/settings", "/settings/developer/api-keys", "/settings/developer/api-keys/new"];

#[test]
fn pages_inside_ask_who_is_there() {
    let deployment = shared();
    for path in INSIDE {
        let answer = deployment.console().get(path);
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.header("location"));
        deployment.owner().get(path).expect_status(200);
    }
}

#[test]
fn every_page_carries_the_headers_of_a_safe_page() {
    let deployment = shared();
    let owner = deployment.owner();
    let made = make(&owner, "Headers", &["contacts:read"]);
    let key = format!("/settings/developer/api-keys/{}", made.id);
    let delete = format!("{key}/delete");
    let others = ["/sign-in", "/nothing/here", "/setup?token=wrong", key.as_str(), delete.as_str()];
    for path in INSIDE.into_iter().chain(others) {
        for caller in [&owner, &deployment.console()] {
            let answer = caller.get(path);
            let policy = answer.header("content-security-policy");
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                assert!(policy.contains(part), "{path}: {part} is not in {policy}");
            }
            let sources: Vec<&str> = policy.split([' ', ';']).collect();
            for dangerous in ["'unsafe-inline'", "'unsafe-eval'", "*", "https:"] {
                assert!(!sources.contains(&dangerous), "{path}: {dangerous} in {policy}");
            }
            for (name, value) in [
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), value, "{path}");
            }
            assert!(answer.header("strict-transport-security").starts_with("max-age=63072000"), "{path}");
            assert!(answer.status >= 300 || answer.text.contains("<title>"), "{path} has no title");
            assert!(!answer.text.contains(" style="), "{path} has an inline style");
        }
    }
    let nonce = |answer: &crate::client::Answer| {
        let policy = answer.header("content-security-policy").to_owned();
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned()
    };
    let (one, two) = (owner.get("/settings"), owner.get("/settings"));
    assert_ne!(nonce(&one), nonce(&two), "a nonce was used twice");
    assert!(one.text.contains(&format!("nonce=\"{}\"", nonce(&one))));
}

#[test]
fn the_page_of_every_error_is_there() {
    let deployment = shared();
    let page = deployment.console().get("/docs/errors");
    page.expect_status(200);
    for kind in ownchat_domain::problem::CATALOGUE {
        assert!(page.text.contains(&format!("id=\"{}\"", kind.code)), "{} is not explained", kind.code);
    }
}

#[test]
fn files_are_kept_for_ever_under_the_name_of_their_content() {
    let deployment = shared();
    let console = deployment.console();
    let page = console.get("/sign-in");
    let style = page.text.split("href=\"").find(|rest| rest.starts_with("/assets/")).unwrap();
    let style = style.split('"').next().unwrap();
    let folder = style.rsplit_once('/').unwrap().0;
    for (path, kind) in [(style.to_owned(), "text/css"), (format!("{folder}/ownchat.js"), "text/javascript")] {
        let answer = console.get(&path);
        answer.expect_status(200);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        assert!(answer.header("content-type").starts_with(kind), "{path}: {}", answer.header("content-type"));
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
    console.get("/favicon.svg").expect_status(200);
    console.get(&format!("{folder}/nothing.js")).expect_status(404);
}

#[test]
fn methods_that_pages_do_not_have_are_refused() {
    let deployment = shared();
    let owner = deployment.owner();
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = owner.send(method, "/settings", "");
        assert_eq!(answer.expect_problem(405, "method_not_allowed").header("allow"), "GET, HEAD, POST");
    }
    let json = owner.with("Content-Type", "application/json");
    json.send("POST", "/sign-in", "{}").expect_problem(415, "unsupported_media_type");
    let form = owner.with("Content-Type", "application/x-www-form-urlencoded");
    form.send("POST", "/sign-in", "x".repeat(70_000)).expect_problem(413, "body_too_large");
}
