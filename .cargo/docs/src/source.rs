//! Reads constants from source text that the renderer cannot depend on: the Workers, and private
//! parts of the domain.
//!
//! The reader is strict. A constant that is missing, empty or written in another way is an error,
//! never an empty table.

use ownchat_domain::{
    log::REQUEST_ID_HEADER,
    principal,
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// A source file, included when the renderer is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Path from the root of the repository.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Rules of the gateway: headers, timeouts, failures.
pub const GATEWAY: Source =
    Source { path: "worker/edge/src/gateway.rs", text: include_str!("../../../worker/edge/src/gateway.rs") };
/// Timeouts of the edge's stores.
pub const TIMEOUT: Source =
    Source { path: "worker/edge/src/timeouts.rs", text: include_str!("../../../worker/edge/src/timeouts.rs") };
/// Headers of every response of the edge.
pub const RESPONSE: Source =
    Source { path: "worker/edge/src/response.rs", text: include_str!("../../../worker/edge/src/response.rs") };
/// Deadline of a response of the edge.
pub const FETCHING: Source = Source {
    path: "worker/edge/src/authorizer/fetching.rs",
    text: include_str!("../../../worker/edge/src/authorizer/fetching.rs"),
};
/// Routes of the management API.
pub const API: Source = Source {
    path: "worker/console/src/api/routes.rs",
    text: include_str!("../../../worker/console/src/api/routes.rs"),
};
/// Path above the routes of the management API.
pub const API_PATH: Source =
    Source { path: "worker/console/src/paths.rs", text: include_str!("../../../worker/console/src/paths.rs") };
/// Routes of the console besides its pages.
pub const ROUTER: Source =
    Source { path: "worker/console/src/router.rs", text: include_str!("../../../worker/console/src/router.rs") };
/// Numbers of secrets of a key.
pub const ROTATE: Source = Source {
    path: "worker/vault/src/registry/rotate.rs",
    text: include_str!("../../../worker/vault/src/registry/rotate.rs"),
};
/// Lifetimes of sessions.
pub const SESSIONS: Source = Source {
    path: "worker/vault/src/person/sessions.rs",
    text: include_str!("../../../worker/vault/src/person/sessions.rs"),
};
/// Lifetime of the set-up link.
pub const SETUP: Source = Source {
    path: "worker/vault/src/instance/setup.rs",
    text: include_str!("../../../worker/vault/src/instance/setup.rs"),
};
/// Full access.
pub const GRANT: Source =
    Source { path: "app/domain/src/role/grant.rs", text: include_str!("../../../app/domain/src/role/grant.rs") };
/// Paths that the gateway accepts.
pub const PATH: Source =
    Source { path: "app/domain/src/route/path.rs", text: include_str!("../../../app/domain/src/route/path.rs") };
/// Bindings of every Worker.
pub const START: Source =
    Source { path: "worker/local/start.mjs", text: include_str!("../../../worker/local/start.mjs") };

impl Source {
    /// Returns the text between the first `begin` and the next `end`.
    pub fn part(self, begin: &str, end: &str) -> Result<&'static str, String> {
        let part = self.text.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
        part.map(|(part, _)| part).ok_or_else(|| self.lacks(&format!("{begin} … {end}")))
    }

    /// Returns the value of a constant number. It is a product of numbers and units of time.
    pub fn number(self, name: &str) -> Result<i64, String> {
        let (_, value) = self.part(&format!("const {name}:"), ";")?.split_once('=').ok_or_else(|| self.lacks(name))?;
        product(value).ok_or_else(|| self.lacks(&format!("{name} as a number")))
    }

    /// Returns the texts of a constant list. Its elements are literals or constants of headers.
    pub fn texts(self, name: &str) -> Result<Vec<String>, String> {
        let list = self.part(&format!("const {name}: &[&str] ="), ";")?.trim();
        let list = list.strip_prefix("&[").and_then(|list| list.strip_suffix(']')).ok_or_else(|| self.lacks(name))?;
        let elements = list.split(',').map(str::trim).filter(|element| !element.is_empty());
        let texts: Vec<String> = elements
            .map(|element| match element {
                "principal::HEADER" => Ok(principal::HEADER.to_owned()),
                "REQUEST_ID_HEADER" => Ok(REQUEST_ID_HEADER.to_owned()),
                element => literal(element).map(str::to_owned).ok_or_else(|| self.lacks(&format!("{name}, {element}"))),
            })
            .collect::<Result<_, _>>()?;
        if texts.is_empty() { Err(self.lacks(name)) } else { Ok(texts) }
    }

    /// Describes text that was expected and not found.
    pub fn lacks(self, expected: &str) -> String {
        format!("{} lacks {expected}", self.path)
    }
}

/// Returns the text of a string literal without escapes.
pub fn literal(element: &str) -> Option<&str> {
    element.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains(['"', '\\']))
}

/// Evaluates a product such as `30 * SECOND` or `1_000`.
pub fn product(text: &str) -> Option<i64> {
    let factor = |factor: &str| match factor.trim() {
        "SECOND" => Some(SECOND),
        "MINUTE" => Some(MINUTE),
        "HOUR" => Some(HOUR),
        "DAY" => Some(DAY),
        number => number.replace('_', "").parse().ok(),
    };
    text.split('*').map(factor).try_fold(1, |product, factor| Some(product * factor?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source = Source {
        path: "a.rs",
        text: "/// A.\nconst A: u32 = 1_000;\npub const B: i64 = 5 * SECOND;\nconst C: i64 = A + 1;\n\
               const D: &[&str] = &[\n    \"x-a\",\n    principal::HEADER,\n];\nconst E: &[&str] = &[];\nconst F: &[&str] = &[G];\n",
    };

    #[test]
    fn constants_are_read() {
        assert_eq!((SOURCE.number("A"), SOURCE.number("B")), (Ok(1_000), Ok(5_000)));
        assert_eq!(SOURCE.texts("D").unwrap(), ["x-a", principal::HEADER]);
    }

    #[test]
    fn whatever_is_missing_or_written_otherwise_is_an_error() {
        for error in [SOURCE.number("Z").unwrap_err(), SOURCE.number("C").unwrap_err()] {
            assert!(error.starts_with("a.rs lacks "), "{error}");
        }
        for name in ["A", "E", "F", "Z"] {
            assert!(SOURCE.texts(name).is_err(), "{name}");
        }
    }
}
