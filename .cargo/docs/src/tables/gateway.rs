//! Tables of the edge: timeouts, failures of the gateway, headers that it blocks and sets.

use super::{duration, linked, quoted, table};
use crate::source::{GATEWAY, RESPONSE, TIMEOUT, literal, product};
use ownchat_domain::{credential, problem::CATALOGUE};

/// A timeout of the gateway: its name in the code, its meaning, its error, and what else happens.
const TIMEOUTS: &[(&str, &str, &str, &str)] = &[
    ("connect", "connection to the service", "upstream_connect_timeout", ""),
    ("first_byte", "last byte of the request to first byte of the response", "upstream_timeout", ""),
    (
        "idle",
        "pause within a body, to or from the service",
        "upstream_idle_timeout",
        "; within a response, the connection ends",
    ),
    ("caller", "pause within the body that the caller sends", "request_timeout", ""),
];

/// A store of the edge: its constant, its name, its contents.
const STORES: &[(&str, &str, &str)] = &[
    ("KV", "KV", "replicas of the key records"),
    ("FEED", "feed", "recent changes and revocations; not read again within a second of a failure"),
    ("REGISTRY", "registry", "the workspace: keys, settings, audit trail"),
    ("METER", "meter", "rate limit and quota of one key"),
    ("USAGE", "usage", "counts; no request waits for it"),
];

/// Returns the variable and the default of a timeout of the gateway.
pub fn timeout(field: &str) -> Result<(&'static str, i64), String> {
    let defaults = GATEWAY.part("pub const DEFAULT: Self =", ";")?;
    let is_field = |part: &&str| part.trim_start_matches([' ', '\n', '{']).starts_with(&format!("{field}: "));
    let parts = defaults.trim().trim_start_matches("Self").trim_end_matches('}').split(',');
    let default = parts.map(str::trim).find(is_field).and_then(|part| product(part.split_once(':')?.1));
    let default = default.ok_or_else(|| GATEWAY.lacks(&format!("the default of {field}")))?;
    Ok((GATEWAY.part(&format!(" {field}: millis(\""), "\"")?, default))
}

/// The variables of the gateway's timeouts.
pub fn timeout_variables() -> Result<Vec<&'static str>, String> {
    TIMEOUTS.iter().map(|(field, ..)| Ok(timeout(field)?.0)).collect()
}

/// Renders the timeouts of a forwarded request.
pub fn timeouts() -> Result<String, String> {
    let known = GATEWAY.part("pub struct Timeouts {", "}")?.matches("pub ").count();
    if known != TIMEOUTS.len() {
        return Err(GATEWAY.lacks(&format!("exactly {} timeouts", TIMEOUTS.len())));
    }
    let row = |(field, meaning, code, more): &(&str, &str, &str, &str)| {
        let (variable, default) = timeout(field)?;
        let (name, error) = (*meaning, format!("{} {}{more}", kind(code)?.status, linked(code)));
        Ok(vec![name.to_owned(), duration(default), quoted(variable), error])
    };
    let rows = TIMEOUTS.iter().map(row).collect::<Result<Vec<_>, String>>()?;
    Ok(table(&["Limits", "Default", "Variable of the edge", "Error"], rows))
}

/// Renders the timeouts of the edge's stores.
pub fn store_timeouts() -> Result<String, String> {
    let known = TIMEOUT.text.matches("pub const ").count();
    if known != STORES.len() {
        return Err(TIMEOUT.lacks(&format!("exactly {} timeouts", STORES.len())));
    }
    let row = |(constant, name, holds): &(&str, &str, &str)| {
        Ok(vec![(*name).to_owned(), duration(TIMEOUT.number(constant)?), (*holds).to_owned()])
    };
    let rows = STORES.iter().map(row).collect::<Result<Vec<_>, String>>()?;
    Ok(table(&["Store", "Timeout", "Holds"], rows))
}

/// Renders the failures of the gateway.
pub fn errors() -> Result<String, String> {
    let seconds = GATEWAY.number("RETRY_AFTER_SECONDS")?;
    let failures = GATEWAY.part("const FAILURES: &[ProxyError] = &[", "];")?;
    let row = |failure: &str| {
        let value = |name: &str| {
            let (_, rest) = failure.split_once(&format!("{name}: "))?;
            rest.split([',', '}']).next().map(str::trim)
        };
        let lacks = || GATEWAY.lacks(&format!("a failure that can be read in {failure}"));
        let constant = value("kind").and_then(|kind| kind.strip_prefix("&problem::")).ok_or_else(lacks)?;
        let kind = kind(&constant.to_lowercase())?;
        let error = value("error").and_then(literal).ok_or_else(lacks)?;
        let choose = |name: &str, yes: &str, no: &str| match value(name) {
            Some("true") => Ok(yes.to_owned()),
            Some("false") => Ok(no.to_owned()),
            _ => Err(lacks()),
        };
        let retry = choose("retry", &format!("{seconds} s"), "none")?;
        let reached = choose("reached", "yes", "no")?;
        Ok(vec![linked(kind.code), kind.status.to_string(), quoted(error), retry, reached])
    };
    let rows = failures.split("ProxyError {").skip(1).map(row).collect::<Result<Vec<_>, String>>()?;
    if rows.is_empty() {
        return Err(GATEWAY.lacks("failures"));
    }
    Ok(table(&["Code", "Status", "`error` in `Proxy-Status`", "`Retry-After`", "Counts as forwarded"], rows))
}

/// Renders the headers of a request that do not reach the service.
pub fn headers_to_service() -> Result<String, String> {
    let rows = vec![
        vec!["credentials".to_owned(), listed(&credential::HEADERS.map(str::to_owned))],
        vec!["claims about the caller".to_owned(), listed(&GATEWAY.texts("IDENTITY")?)],
        vec!["claims about the request".to_owned(), listed(&GATEWAY.texts("REQUEST_OVERRIDES")?)],
        vec!["claims of either kind, by prefix".to_owned(), prefixes("BLOCKED_CALLER_PREFIXES")?],
        vec!["hop-by-hop headers, and those that `Connection` names".to_owned(), listed(&GATEWAY.texts("HOP_BY_HOP")?)],
    ];
    Ok(table(&["Dropped", "Headers"], rows))
}

/// Renders the headers of a response that do not reach the caller.
pub fn headers_to_caller() -> Result<String, String> {
    let rows = vec![
        vec![
            "would speak for the edge, or describe the service".to_owned(),
            listed(&GATEWAY.texts("BLOCKED_SERVICE_HEADERS")?),
        ],
        vec!["the same, by prefix".to_owned(), prefixes("BLOCKED_SERVICE_PREFIXES")?],
        vec!["credentials".to_owned(), listed(&credential::HEADERS.map(str::to_owned))],
        vec!["hop-by-hop headers, and those that `Connection` names".to_owned(), listed(&GATEWAY.texts("HOP_BY_HOP")?)],
    ];
    Ok(table(&["Dropped", "Headers"], rows))
}

/// Renders the headers that the edge sets in every response.
pub fn headers_of_edge() -> Result<String, String> {
    let list = RESPONSE.part("pub const COMMON_HEADERS: &[(&str, &str)] = &[", "];")?;
    let row = |line: &str| {
        let pair = line.trim().strip_prefix('(').and_then(|line| line.strip_suffix("),"));
        let (name, value) = pair.and_then(|pair| pair.split_once(", ")).ok_or_else(|| RESPONSE.lacks(line))?;
        let text = |text| literal(text).map(quoted).ok_or_else(|| RESPONSE.lacks(text));
        Ok(vec![text(name)?, text(value)?])
    };
    let rows = list.lines().filter(|line| !line.trim().is_empty()).map(row).collect::<Result<Vec<_>, String>>()?;
    if rows.is_empty() {
        return Err(RESPONSE.lacks("COMMON_HEADERS"));
    }
    Ok(table(&["Header", "Value"], rows))
}

/// Returns the catalogue's entry of a code.
fn kind(code: &str) -> Result<&'static ownchat_domain::problem::ProblemKind, String> {
    CATALOGUE.iter().find(|kind| kind.code == code).ok_or_else(|| format!("the catalogue lacks {code}"))
}

fn prefixes(name: &str) -> Result<String, String> {
    let texts = GATEWAY.texts(name)?;
    Ok(listed(&texts.iter().map(|prefix| format!("{prefix}*")).collect::<Vec<_>>()))
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_the_defaults_of_the_edge() {
        let found = ["connect", "first_byte", "idle", "caller"].map(|field| timeout(field).unwrap());
        let names = ["UPSTREAM_CONNECT_MS", "UPSTREAM_FIRST_BYTE_MS", "UPSTREAM_IDLE_MS", "REQUEST_IDLE_MS"];
        assert_eq!(found.map(|(name, _)| name), names);
        assert_eq!(found.map(|(_, millis)| millis), [5_000, 30_000, 60_000, 30_000]);
        assert!(timeout("nothing").is_err());
    }

    #[test]
    fn stores_failures_and_headers_are_those_of_the_edge() {
        assert!(store_timeouts().unwrap().contains("| registry | 3 seconds | "), "{}", store_timeouts().unwrap());
        let errors = errors().unwrap();
        assert!(errors.contains("#upstream_timeout) | 504 | `http_response_timeout` | 5 s | yes |"), "{errors}");
        assert!(errors.contains("#upgrade_unsupported) | 501 | `http_upgrade_failed` | none | no |"), "{errors}");
        let headers = headers_to_service().unwrap();
        for name in ["authorization", "x-api-key", "cookie", "cf-*", "ownchat-principal", "transfer-encoding"] {
            assert!(headers.contains(&quoted(name)), "{name}: {headers}");
        }
        assert!(headers_to_caller().unwrap().contains("`set-cookie`"));
        assert!(headers_of_edge().unwrap().contains("| `Cache-Control` | `no-store` |"));
    }
}
