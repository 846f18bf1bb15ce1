//! The runtime itself: Workers start, speak to each other, and keep what they stored.

use crate::{Admin, Client, Folder, Module, Place, Process, Worker, edge, vault};
use std::net::SocketAddr;

/// A KV namespace that holds nothing and takes everything.
const EMPTY: &str =
    "export default { fetch: (request) => new Response(null, { status: request.method === 'GET' ? 404 : 200 }) };";

fn whole(folder: &Folder) -> Process {
    let kv = || Place::Here("kv".into());
    let kv_worker = Worker::new("kv").module("kv.mjs", Module::Script(EMPTY.into()));
    Process::start(folder.path(), &[edge(Place::Here("vault".into()), kv(), None), vault(kv()), kv_worker])
}

fn code(edge: SocketAddr, token: &str) -> String {
    let body = format!("{{\"key\": \"{token}\"}}");
    let answer = Client::new(edge).call("POST", "/v1/verify", &[], body.as_bytes()).unwrap();
    answer.json()["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_was_stored_is_there_again_after_a_crash() {
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
