//! The order of checks at the edge.

use super::{linked, quoted, table};
use ownchat_domain::{
    checks::{CHECKS, Check},
    verdict::Code,
};

/// Renders the checks in their order. Those of the policy come from its list; the route and the
/// credential come before them, the limits after them.
pub fn checks() -> String {
    let row = |name: &str, fails: &str, outcome: String| vec![name.to_owned(), fails.to_owned(), outcome];
    let code = |code: Code| linked(code.as_str());
    let before = [
        row(
            "`route`",
            "the gateway has no such path or method; no key is needed to learn that",
            format!("404 {}, 405 {}", linked("not_found"), linked("method_not_allowed")),
        ),
        row("credential", "no header holds a key", code(Code::MissingKey)),
        row("shape, checksum", "the text is not an API key", code(Code::MalformedKey)),
        row("`tag`", "this deployment did not issue the key id; up to here no store is read", code(Code::MalformedKey)),
        row("`secret`", "no digest matches, or the key does not exist; both look the same", code(Code::UnknownKey)),
    ];
    let policy = CHECKS.iter().map(|check| {
        let (name, fails, outcome) = texts(*check);
        row(&quoted(name), fails, code(outcome))
    });
    let after = [
        row("`rate_limit`", "the rate limit has too few permits left", code(Code::RateLimited)),
        row(
            "`quota`",
            "the quota has too few permits left; if both refuse, the rate limit is named",
            code(Code::QuotaExceeded),
        ),
    ];
    let rows = before.into_iter().chain(policy).chain(after).zip(1..);
    table(&["No.", "Check", "Fails if", "Outcome"], rows.map(|(row, number)| [vec![number.to_string()], row].concat()))
}

/// Returns the name of a check in explanations, its condition and its outcome.
const fn texts(check: Check) -> (&'static str, &'static str, Code) {
    match check {
        Check::Workspace => ("workspace", "the workspace is suspended", Code::WorkspaceSuspended),
        Check::Deleted => ("deleted", "the key is deleted", Code::UnknownKey),
        Check::Active => ("active", "the key is deactivated", Code::Inactive),
        Check::NotBefore => ("not_before", "its start is in the future", Code::NotYetValid),
        Check::ExpiresAt => ("expires_at", "its expiry has passed", Code::Expired),
        Check::SecretEndsAt => {
            ("secret_ends_at", "a rotation replaced this secret, and its overlap is over", Code::Expired)
        }
        Check::Address => {
            ("address", "the networks of the key do not permit the client's IP address", Code::AddressForbidden)
        }
        Check::Scopes => ("scopes", "the key lacks a scope that the request needs", Code::ScopeMissing),
        Check::Channel => ("channel", "the key is restricted to other channels", Code::ChannelForbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_policy() {
        let table = checks();
        let names: Vec<&str> = table.lines().filter_map(|line| line.split(" | ").nth(1)).skip(2).collect();
        assert_eq!(names.len(), 5 + CHECKS.len() + 2);
        let policy = CHECKS.map(|check| quoted(texts(check).0));
        assert_eq!(names.get(5..14).unwrap(), policy);
        for check in CHECKS {
            let json = serde_json::to_string(&check).unwrap();
            assert_eq!(json.trim_matches('"'), texts(check).0);
        }
    }
}
