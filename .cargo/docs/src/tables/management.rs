//! The requests of the management API.

use super::{quoted, table};
use crate::source::{API, API_PATH, ROUTER, Source};

/// The page of each path. A path of the router without a page is an error, and so is the reverse.
const PAGES: &[(&str, &str)] = &[
    ("/api/v1/setup", "[Access](/integrate/management-access.md#session)"),
    ("/api/v1/session", "[Access](/integrate/management-access.md#session)"),
    (
        "/api/v1/keys",
        "[Create](/integrate/management-api.md#create-a-key), [list and search](/integrate/management-api.md#list-and-search)",
    ),
    ("/api/v1/keys/{id}", "[Read and change](/integrate/management-api.md#read-and-change)"),
    (
        "/api/v1/keys/{id}/duplicate",
        "[Delete, restore, duplicate](/integrate/management-api.md#delete-restore-duplicate)",
    ),
    (
        "/api/v1/keys/{id}/restore",
        "[Delete, restore, duplicate](/integrate/management-api.md#delete-restore-duplicate)",
    ),
    ("/api/v1/keys/{id}/rotate", "[Rotate a key](/integrate/rotation.md)"),
    ("/api/v1/keys/{id}/end-old-secrets", "[Rotate a key](/integrate/rotation.md)"),
    ("/api/v1/keys/{id}/usage", "[Usage](/integrate/usage.md)"),
    ("/api/v1/usage", "[Usage](/integrate/usage.md)"),
    ("/api/v1/explain", "[Explain a decision](/integrate/explain.md)"),
    ("/api/v1/workspace", "[Outages](/operate/outages.md#outage-tolerance)"),
    ("/api/v1/master-secrets", "[Master secrets](/operate/master-secrets.md)"),
    ("/api/v1/audit", "[Audit trail](/operate/audit.md)"),
    ("/api/v1/export", "[Backup and restore](/operate/backup.md)"),
    ("/api/v1/import", "[Backup and restore](/operate/backup.md)"),
    ("/api/v1/scopes", "the catalogue of [scopes](/integrate/scopes.md), without a key"),
    ("/health", "status and version, without a key"),
];

/// The functions of the router that name a method.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Renders every path of the management API with its methods.
pub fn routes() -> Result<String, String> {
    let nested = API_PATH.part("const API: &str = \"", "\"")?;
    let mut routes = read(API, nested)?;
    routes.extend(read(ROUTER, "")?);
    if let Some((gone, _)) = PAGES.iter().find(|(page, _)| !routes.iter().any(|(path, _)| path == page)) {
        return Err(API.lacks(gone));
    }
    let place = |path: &str| PAGES.iter().position(|(page, _)| *page == path);
    routes.sort_by_key(|(path, _)| place(path));
    let row = |(path, methods): (String, Vec<&str>)| {
        let methods = methods.iter().map(|method| quoted(&method.to_uppercase())).collect::<Vec<_>>().join(", ");
        let page = PAGES.iter().find(|(page, _)| *page == path);
        let (_, page) = page.ok_or_else(|| format!("{} serves {path}, which has no page", API.path))?;
        Ok(vec![methods, quoted(&path), (*page).to_owned()])
    };
    Ok(table(&["Methods", "Path", "Described in"], routes.into_iter().map(row).collect::<Result<Vec<_>, String>>()?))
}

/// Reads the routes of a router whose paths are literals, below the path `nested`.
fn read(source: Source, nested: &str) -> Result<Vec<(String, Vec<&'static str>)>, String> {
    let routes = source.text.split(".route(").skip(1).filter(|route| route.starts_with('"'));
    let read = |route: &'static str| {
        let (path, rest) = route.strip_prefix('"')?.split_once("\", ")?;
        let handlers = rest.lines().next()?;
        let calls = handlers.split('(').filter_map(|before| before.rsplit(|c: char| !c.is_ascii_lowercase()).next());
        let methods: Vec<&str> = calls.filter(|call| METHODS.contains(call)).collect();
        (!methods.is_empty()).then(|| (format!("{nested}{path}"), methods))
    };
    let mut found: Vec<(String, Vec<_>)> = Vec::new();
    for route in routes {
        let (path, methods) = read(route).ok_or_else(|| source.lacks("a route that can be read"))?;
        match found.iter_mut().find(|(known, _)| *known == path) {
            Some((_, known)) => known.extend(methods),
            None => found.push((path, methods)),
        }
    }
    if found.is_empty() { Err(source.lacks("routes that can be read")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_a_path_is_listed() {
        let table = routes().unwrap();
        assert!(table.contains("| `GET`, `PATCH`, `DELETE` | `/api/v1/keys/{id}` | "), "{table}");
        assert!(table.contains("| `GET`, `POST` | `/api/v1/keys` | "), "{table}");
        assert!(table.contains("| `GET` | `/health` | "), "{table}");
        assert_eq!(table.lines().count(), PAGES.len() + 2);
    }

    #[test]
    fn a_router_without_routes_is_an_error() {
        assert!(read(Source { path: "a.rs", text: "Router::new()" }, "").is_err());
        assert!(read(Source { path: "a.rs", text: ".route(\"/a\", any(b))" }, "").is_err());
    }
}
