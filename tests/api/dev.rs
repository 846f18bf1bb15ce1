//! Guarantees of `cargo xtask dev`: ports, options, the state folder, the ready file and the end.

use crate::{
    client::ApiClient,
    deployment::{Deployment, SETUP_TOKEN, shared},
    keys::make,
};
use serde_json::json;
use std::{net::TcpListener, process::Output};

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn refused(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    let text = text(&output);
    assert!(!output.status.success(), "it did not fail: {text}");
    assert!(text.contains("why") && text.contains("to do"), "{text}");
    text
}

#[test]
fn a_busy_port_is_named_before_anything_is_built() {
    let own = Deployment::idle();
    let busy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    for name in ["CONSOLE_PORT", "EDGE_PORT", "UPSTREAM_PORT"] {
        let text = refused(own.command(&[]).env(name, &port));
        assert!(text.contains(&port) && text.contains(name), "{text}");
        assert!(!text.contains("──"), "a step was begun: {text}");
    }
    // Two of its own ports are equal.
    let edge = own.port(1).to_string();
    assert!(refused(own.command(&[]).env("CONSOLE_PORT", &edge)).contains(&edge));
    for nonsense in ["0", "65536", "http"] {
        assert!(refused(own.command(&[]).env("EDGE_PORT", nonsense)).contains("EDGE_PORT"));
    }
}

#[test]
fn two_do_not_share_one_folder_of_state() {
    let deployment = shared();
    let other = Deployment::idle();
    let text = refused(other.command(&["--no-build", "--fresh"]).env("DATA_DIR", deployment.data()));
    assert!(text.contains("another deployment") && text.contains("DATA_DIR"), "{text}");
    deployment.owner().get("/api/v1/session").expect_status(200);
}

#[test]
fn fresh_forgets_everything() {
    let mut own = Deployment::set_up();
    let key = make(&own.owner(), "Forgotten", &["contacts:read"]).key;
    let owner: ApiClient = own.owner();
    own.stop();
    own.resume(&["--fresh"]);
    owner.get("/api/v1/session").expect_problem(401, "not_signed_in");
    own.console().get(&format!("/setup?token={SETUP_TOKEN}")).expect_status(200);
    let verdict = own.service().post("/v1/verify", &json!({"key": key})).expect_status(200).at("/code");
    assert_eq!(verdict, "MALFORMED_KEY", "the secrets are those of before");
}

#[test]
fn the_printed_urls_lead_to_the_set_up() {
    let own = Deployment::start();
    let printed = std::fs::read_to_string(own.log()).unwrap();
    let ready = own.ready();
    for name in ["console", "edge", "upstream", "setup_url", "service_token"] {
        let address = ready[name].as_str().unwrap();
        assert!(printed.contains(address), "{address} is not in: {printed}");
    }
    assert_eq!(ready["setup_token"], SETUP_TOKEN);
    let link = ready["setup_url"].as_str().and_then(|link| link.strip_prefix(ready["console"].as_str()?)).unwrap();
    own.console().get(link).expect_status(200);
}

#[test]
fn ready_json_is_there_while_everything_answers() {
    let mut own = Deployment::start();
    assert!(own.ready_file().exists());
    own.stop();
    assert!(!own.ready_file().exists(), "it says that somebody is there");
}

#[test]
fn a_temporary_deployment_ends_with_its_input_without_state() {
    let mut own = Deployment::idle();
    own.resume(&["--temporary"]);
    let secrets = own.data().join("secrets.json");
    assert!(secrets.exists() && own.data().join("store").exists());
    own.let_go();
    assert!(TcpListener::bind(("127.0.0.1", own.port(0))).is_ok(), "the console still runs");
    let left: Vec<_> = std::fs::read_dir(own.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["log"], "only what the test has put there");
}

#[test]
fn an_unknown_option_is_named() {
    let own = Deployment::idle();
    assert!(refused(&mut own.command(&["--frsh"])).contains("--frsh"));
}
