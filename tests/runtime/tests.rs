//! Test of the runtime itself: Workers start, call each other, and keep their storage.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that meets what it does not expect fails")]

use ownchat_runtime::{Admin, BindingTarget, Folder, HttpClient, JSON, Process, SERVICE, edge, no_kv, vault};
use std::net::SocketAddr;

fn whole(folder: &Folder) -> Process {
    let kv = || BindingTarget::Here("kv".into());
    Process::start(folder.path(), &[edge(BindingTarget::Here("vault".into()), kv(), None), vault(kv()), no_kv("kv")])
}

fn code(edge: SocketAddr, token: &str) -> String {
    let body = format!("{{\"key\": \"{token}\"}}");
    let answer = HttpClient::new(edge).call("POST", "/v1/verify", &[JSON, SERVICE], body.as_bytes()).unwrap();
    answer.json()["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn stored_data_survives_a_crash() {
    let folder = Folder::make("runtime");
    let process = whole(&folder);
    let made = Admin::found(process.address("vault"), 7).make("Shop", &["contacts:read"]);
    assert_eq!(code(process.address("edge"), &made.token), "VALID");
    assert!(process.cpu().as_millis() > 0 && process.memory() > 1 << 20);
    process.crash();
    assert!(!process.runs());
    let process = whole(&folder);
    assert_eq!(code(process.address("edge"), &made.token), "VALID");
    process.stop();
}
