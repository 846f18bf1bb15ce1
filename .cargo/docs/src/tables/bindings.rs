//! The bindings of the Workers, from the configuration that starts them.

use super::{gateway::timeout_variables, quoted, table};
use crate::source::START;

/// Worker, binding, kind and meaning. A binding of the configuration without a row is an error, and
/// so is the reverse.
const MEANINGS: &[(&str, &str, &str, &str)] = &[
    ("edge", "KEYS", "KV namespace", "sealed key records, shared with the vault"),
    ("edge", "VAULT", "service", "the vault"),
    ("edge", "MASTER_KEYS", "secret", "the [master secrets](/operate/configuration.md#master-keys)"),
    ("edge", "PRINCIPAL_KEY", "secret", "signs the [principal](/operate/configuration.md#principal-key)"),
    (
        "edge",
        "SERVICE_TOKENS",
        "variable, optional",
        "hashes of the [service tokens](/operate/configuration.md#service-tokens)",
    ),
    ("edge", "UPSTREAM_URL", "variable", "origin of the services behind the gateway"),
    ("edge", "CONSOLE_URL", "variable", "origin of the console, for links in errors"),
    ("edge", TIMEOUT, "variable, optional", "a [timeout of the gateway](/operate/configuration.md#timeouts)"),
    ("vault", "KEYS", "KV namespace", "as at the edge"),
    ("vault", "FEED", "Durable Object with SQLite", "the revocation feed"),
    ("vault", "HASHER", "Durable Object of the Worker `hasher`", "hashes passwords"),
    ("vault", "INSTANCE", "Durable Object with SQLite", "set-up, and the throttle of sign-ins"),
    ("vault", "METER", "Durable Object with SQLite", "permits of one key"),
    ("vault", "PERSON", "Durable Object with SQLite", "account and sessions of one person"),
    ("vault", "REGISTRY", "Durable Object with SQLite", "keys, settings and audit trail of one workspace"),
    ("vault", "USAGE", "Durable Object with SQLite", "usage of one workspace"),
    ("vault", "MASTER_KEYS", "secret", "as at the edge"),
    ("vault", "SETUP_TOKEN", "secret", "opens set-up once"),
    ("vault", "STARTED_AT", "variable", "start of the deployment in milliseconds since 1970, for the end of set-up"),
    ("hasher", "HASHER", "Durable Object with SQLite", "its own class; the Worker has no secrets"),
    ("console", "VAULT", "service", "the vault"),
    ("console", "MASTER_KEYS", "secret", "recognises key ids and signs cookies"),
    ("console", "EDGE_URL", "variable", "origin of the edge, for the commands that pages show"),
    ("console", "ASSETS_VERSION", "variable", "folder of the files for browsers"),
    ("console", "ASSETS", "static assets", "files for browsers"),
];

/// Stands for each variable of the gateway's timeouts.
const TIMEOUT: &str = "timeouts";

/// The groups of a Worker's configuration that hold bindings by name.
const GROUPS: [&str; 4] = ["kvNamespaces: {", "serviceBindings: {", "durableObjects: {", "bindings: {"];

/// Renders every binding of each Worker.
pub fn bindings() -> Result<String, String> {
    let found = read(START.text).ok_or_else(|| START.lacks("bindings that can be read"))?;
    let mut rows = Vec::new();
    let is = |(worker, name, ..): &(&str, &str, &str, &str), found: &(String, String)| {
        (*worker, *name) == (found.0.as_str(), found.1.as_str())
    };
    if let Some((worker, gone, ..)) = MEANINGS.iter().find(|row| !found.iter().any(|found| is(row, found))) {
        return Err(START.lacks(&format!("the binding {gone} of the Worker {worker}")));
    }
    for binding in found {
        let row = MEANINGS.iter().find(|row| is(row, &binding));
        let (worker, name, kind, meaning) =
            row.ok_or_else(|| format!("the binding {} of the Worker {} has no meaning", binding.1, binding.0))?;
        let names = if *name == TIMEOUT { timeout_variables()? } else { vec![*name] };
        rows.extend(
            names
                .into_iter()
                .map(|name| vec![(*worker).to_owned(), quoted(name), (*kind).to_owned(), (*meaning).to_owned()]),
        );
    }
    Ok(table(&["Worker", "Binding", "Kind", "Meaning"], rows))
}

/// Reads Worker and name of each binding; none if the configuration is written in another way.
fn read(text: &str) -> Option<Vec<(String, String)>> {
    let (_, text) = text.split_once("const workers = [")?;
    let (text, _) = text.split_once("\n];")?;
    let mut found = Vec::new();
    for block in text.split("\n  built(\"").skip(1) {
        let (built, block) = block.split_once('"')?;
        let renamed = block.split_once("\n    name: \"").and_then(|(_, rest)| rest.split('"').next());
        let worker = renamed.unwrap_or(built);
        let before = found.len();
        for (place, group) in GROUPS.iter().filter_map(|group| Some((find(block, group)?, group))) {
            let names = names(block.get(place + group.len()..)?)?;
            found.extend(names.into_iter().map(|name| (worker.to_owned(), name)));
        }
        if let Some((_, assets)) = block.split_once("assets: {") {
            let (_, name) = assets.split_once("binding: \"")?;
            found.push((worker.to_owned(), name.split('"').next()?.to_owned()));
        }
        if found.len() == before {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Finds a group that is not the end of a longer name.
fn find(block: &str, group: &str) -> Option<usize> {
    block
        .match_indices(group)
        .map(|(place, _)| place)
        .find(|place| block.get(..*place).is_some_and(|before| before.ends_with(' ')))
}

/// Reads the names at the top of an object, up to its end.
fn names(object: &str) -> Option<Vec<String>> {
    let (mut depth, mut top) = (0usize, String::new());
    for character in object.chars() {
        match character {
            '{' | '(' => depth += 1,
            '}' if depth == 0 => {
                let entries = top.split(',').map(str::trim).filter(|entry| !entry.is_empty());
                return entries.map(name).collect();
            }
            '}' | ')' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => top.push(character),
            _ => {}
        }
    }
    None
}

/// Reads the name of an entry.
fn name(entry: &str) -> Option<String> {
    if entry == "...config.limits" {
        return Some(TIMEOUT.to_owned());
    }
    let (name, _) = entry.split_once(':')?;
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_').then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_are_read_from_the_configuration() {
        let text = "const workers = [\n  built(\"a\", {\n    kvNamespaces: { K: \"k\" },\n    bindings: { S: f(1, 2), ...config.limits },\n  }),\n  \
                    built(\"a\", {\n    name: \"b\",\n    durableObjects: {\n      H: { ...object(\"H\"), x: 1 },\n      I: object(\"I\"),\n    },\n    \
                    assets: { directory: d, binding: \"ASSETS\" },\n  }),\n];\n";
        let found = read(text).unwrap();
        let found: Vec<_> = found.iter().map(|(worker, name)| (worker.as_str(), name.as_str())).collect();
        assert_eq!(found, [("a", "K"), ("a", "S"), ("a", TIMEOUT), ("b", "H"), ("b", "I"), ("b", "ASSETS")]);
    }

    #[test]
    fn a_configuration_that_is_written_otherwise_is_an_error() {
        for text in ["", "const workers = [\n];\n", "const workers = [\n  built(\"a\", {\n  }),\n];\n"] {
            assert_eq!(read(text), None, "{text}");
        }
        let odd = "const workers = [\n  built(\"a\", {\n    bindings: { ...others },\n  }),\n];\n";
        assert_eq!(read(odd), None);
    }

    #[test]
    fn each_worker_has_its_bindings() {
        let table = bindings().unwrap();
        for row in ["| edge | `UPSTREAM_CONNECT_MS` | ", "| hasher | `HASHER` | ", "| console | `ASSETS` | "] {
            assert!(table.contains(row), "{row}: {table}");
        }
    }
}
