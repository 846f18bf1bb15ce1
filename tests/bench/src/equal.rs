//! Equivalence of compared servers: the same requests get the same responses.

use crate::{keys::VerifyCase, testbed::Server};
use ownchat_runtime::{Answer, HttpClient, JSON, SERVICE};
use serde_json::Value;

/// The header field with the client's IP address, set by the platform.
const ADDRESS: &str = "CF-Connecting-IP";

/// Sends every case to both servers twice. The second time their caches are warm.
pub fn check(ours: &Server, peer: &Server, cases: &[VerifyCase]) {
    let mut clients = [ours, peer].map(|server| HttpClient::new(server.address));
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

/// Sends `POST /v1/verify`.
fn ask(client: &mut HttpClient, case: &VerifyCase) -> Answer {
    client.call("POST", "/v1/verify", &[JSON, SERVICE], case.question.to_string().as_bytes()).unwrap()
}

/// Sends `GET /v1/key`.
fn ask_for_itself(client: &mut HttpClient, case: &VerifyCase) -> Answer {
    let key = format!("Bearer {}", case.key());
    let mut headers = vec![("Authorization", key.as_str())];
    headers.extend(case.question["address"].as_str().map(|address| (ADDRESS, address)));
    client.call("GET", "/v1/key", &headers, b"").unwrap()
}

/// The compared part of a response about the key itself: all of a description, the code of a
/// problem.
fn shown(answer: &Answer) -> Value {
    let mut json = answer.json();
    if answer.status == 200 { json } else { json["code"].take() }
}

/// Names of the header fields that the Worker has set.
fn fields(answer: &Answer) -> Vec<String> {
    let head = String::from_utf8_lossy(&answer.head).to_ascii_lowercase();
    let names = head.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_owned());
    let mut names: Vec<String> = names.filter(|name| name != "content-length" && name != "transfer-encoding").collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    /// Header fields cost time, so a fair peer sends the same ones.
    #[test]
    fn peer_sends_the_headers_of_the_edge() {
        let edge = include_str!("../../../worker/edge/src/response.rs");
        let peer = include_str!("../peers/verify/answers.mjs").replace(":\n   ", ":");
        let (_, table) = edge.split_once("COMMON_HEADERS").unwrap();
        let (table, _) = table.split_once("];").unwrap();
        let pairs: Vec<_> =
            table.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split_once("\", \"")).collect();
        assert!(pairs.len() >= 7, "{pairs:?}");
        for (name, value) in pairs {
            let value = value.trim_end_matches("\"),");
            assert!(peer.contains(&format!("\"{name}\": \"{value}\"")), "{name}: {value}");
        }
    }
}
