//! Who is compared must do the same: the same questions get the same answers.

use crate::{keys::Case, world::Server};
use ownchat_runtime::{Answer, Client, JSON, SERVICE};
use serde_json::Value;

/// The header field in which the platform tells the caller's address.
const ADDRESS: &str = "CF-Connecting-IP";

/// Asks both everything, twice: of the second time they remember the first.
pub fn check(ours: &Server, peer: &Server, cases: &[Case]) {
    let mut clients = [ours, peer].map(|server| Client::new(server.address));
    for case in cases.iter().chain(cases) {
        let [ours, theirs] = clients.each_mut().map(|client| ask(client, case));
        assert_eq!((ours.status, theirs.status), (200, 200), "{case:?}");
        assert_eq!(ours.json()["code"], case.code, "{case:?}");
        assert_eq!(ours.json(), theirs.json(), "{case:?}");
        let [ours, theirs] = clients.each_mut().map(|client| ask_for_itself(client, case));
        assert_eq!(ours.status, theirs.status, "{case:?}");
        assert_eq!(shown(&ours), shown(&theirs), "{case:?}");
        assert_eq!(fields(&ours), fields(&theirs), "{case:?}");
    }
}

/// Is this key good for that?
fn ask(client: &mut Client, case: &Case) -> Answer {
    client.call("POST", "/v1/verify", &[JSON, SERVICE], case.question.to_string().as_bytes()).unwrap()
}

/// What am I?
fn ask_for_itself(client: &mut Client, case: &Case) -> Answer {
    let key = format!("Bearer {}", case.key());
    let mut headers = vec![("Authorization", key.as_str())];
    headers.extend(case.question["address"].as_str().map(|address| (ADDRESS, address)));
    client.call("GET", "/v1/key", &headers, b"").unwrap()
}

/// What must be equal of an answer about oneself: all of a description, the code of a problem.
fn shown(answer: &Answer) -> Value {
    let mut json = answer.json();
    if answer.status == 200 { json } else { json["code"].take() }
}

/// The names of the header fields that the Worker has set.
fn fields(answer: &Answer) -> Vec<String> {
    let head = String::from_utf8_lossy(&answer.head).to_ascii_lowercase();
    let names = head.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned());
    let mut names: Vec<String> = names.filter(|name| name != "content-length" && name != "transfer-encoding").collect();
    names.sort();
    names
}
