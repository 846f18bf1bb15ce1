//! Generates tables from the code that serves them. A source includes one as `{{name}}`, on a line
//! of its own.

use crate::error::BookError;
use ownchat_domain::{
    problem::{CATALOGUE, Kind},
    route,
    scope::{GROUPS, PRESETS, Scope},
    verdict::Code,
};
use serde::Deserialize;
use std::{fmt::Write, fs, path::Path};

/// The name of a table, and the function that renders it.
type Table = (&'static str, fn() -> String);

const TABLES: &[Table] =
    &[("errors", errors), ("outcomes", outcomes), ("presets", presets), ("routes", routes), ("scopes", scopes)];

/// Expands the tables of the source `text` at `path` in `folder`.
///
/// # Errors
/// Fails on an unknown table, and on figures that cannot be read.
pub fn fill(folder: &Path, path: &str, text: &str) -> Result<String, BookError> {
    let mut filled = String::new();
    for line in text.lines() {
        match line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            Some("bench") => filled += bench(folder)?.trim_end(),
            Some(name) => {
                let table = TABLES.iter().find(|(known, _)| *known == name);
                let (_, table) = table.ok_or_else(|| BookError::new(path, format!("there is no table \"{name}\"")))?;
                filled += table().trim_end();
            }
            None => filled += line,
        }
        filled.push('\n');
    }
    Ok(filled)
}

/// The figures that `cargo xtask bench` wrote last.
const BENCH: &str = "data/bench.json";

/// One figure of the benchmark.
#[derive(Deserialize)]
struct Figure {
    id: String,
    what: String,
    ours: Option<f64>,
    peer: Option<f64>,
    ratio: Option<f64>,
    goal: Option<String>,
    unit: String,
    reached: Option<bool>,
}

/// Renders the figures of the benchmark, each with its goal.
fn bench(folder: &Path) -> Result<String, BookError> {
    let json = fs::read_to_string(folder.join(BENCH)).map_err(|error| BookError::new(BENCH, error))?;
    let figures: Vec<Figure> = serde_json::from_str(&json).map_err(|error| BookError::new(BENCH, error))?;
    let rows = figures.into_iter().map(|figure| {
        let value =
            |value: Option<f64>| value.map_or(String::new(), |value| format!("{} {}", rounded(value), figure.unit));
        let goal = match (&figure.goal, figure.reached) {
            (Some(goal), Some(true)) => format!("{goal}, reached"),
            (Some(goal), _) => format!("{goal}, missed"),
            (None, _) => String::new(),
        };
        let ratio = figure.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        vec![figure.id.clone(), figure.what.clone(), value(figure.ours), value(figure.peer), ratio, goal]
    });
    Ok(table(&["Id", "Measured", "Ours", "Peer", "Ratio", "Goal"], rows))
}

/// Rounds a figure to the digits that another run repeats.
fn rounded(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Renders a section for every error code. The `type` of a problem links to it.
fn errors() -> String {
    CATALOGUE.iter().fold(String::new(), |mut text, Kind { code, status, title, meaning }| {
        let _ = write!(text, "### {title} {{#{code}}}\n\n`{code}` · HTTP {status}\n\n{meaning}\n\n");
        text
    })
}

/// Renders the outcomes of a check, with the gateway's status codes.
fn outcomes() -> String {
    let rows = Code::ALL.iter().map(|code| {
        let Kind { status, title, .. } = Kind::of(*code);
        match code {
            Code::Valid => vec![quoted("VALID"), "200".into(), "The key may do this.".into()],
            Code::NotForwarded => {
                vec![
                    quoted(code.as_str()),
                    "502, 504".into(),
                    "The key was good, and the service was not reached.".into(),
                ]
            }
            _ => vec![linked(code.as_str()), status.to_string(), format!("{title}.")],
        }
    });
    table(&["Code", "Status at the gateway", "Meaning"], rows)
}

/// Renders the scopes, by group.
fn scopes() -> String {
    GROUPS.iter().fold(String::new(), |mut text, group| {
        let is_in =
            |scope: &Scope| scope.name().split_once(':').is_some_and(|(name, _)| group.resources.contains(&name));
        let rows = Scope::all().filter(is_in).map(|scope| {
            let info = scope.info();
            let implied = info.gives.map_or(String::new(), |implied| format!(" Includes `{implied}`."));
            let allows = format!("{}{implied}", scope.texts().description);
            vec![quoted(info.name), info.risk.label().to_owned(), allows]
        });
        let _ = write!(text, "### {}\n\n{}\n", group.name, table(&["Scope", "Risk", "Allows"], rows));
        text
    })
}

/// Renders the routes of the gateway, each with its required scope.
fn routes() -> String {
    let rows = route::all()
        .map(|route| vec![quoted(&format!("{} {}", route.method, route.pattern)), quoted(route.scope.name())]);
    table(&["Request", "Scope"], rows)
}

/// Renders the presets of the key form.
fn presets() -> String {
    let rows = PRESETS.iter().map(|preset| {
        let scopes: Vec<_> = preset.scopes.iter().map(|scope| quoted(scope)).collect();
        let missing = Scope::all().filter(|scope| !preset.scopes.contains(&scope.name()));
        let missing: Vec<_> = missing.map(|scope| quoted(scope.name())).collect();
        // A list of almost every scope hides the few that are left out.
        let listed = match missing.len() {
            0 => "every scope".to_owned(),
            few if few < scopes.len() => format!("every scope but {}", missing.join(", ")),
            _ => scopes.join(", "),
        };
        vec![preset.name.to_owned(), listed]
    });
    table(&["Preset", "Scopes"], rows)
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

fn linked(code: &str) -> String {
    format!("[`{code}`](errors.md#{code})")
}

/// Renders a table in Markdown.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    text += &line(head.iter().map(|_| "---".to_owned()).collect());
    rows.fold(text, |text, row| text + &line(row.into_iter().map(|cell| cell.replace('|', "\\|")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_in_the_place_of_its_name() {
        let fill = |text: &str| fill(Path::new("."), "a.md", text).map_err(|error| error.to_string());
        let filled = fill("# A\n\n{{scopes}}\n\nb {{c}}\n").unwrap();
        assert!(filled.contains("| `contacts:read` | "), "{filled}");
        assert!(filled.starts_with("# A\n\n### ") && filled.ends_with("\n\nb {{c}}\n"), "{filled}");
        assert!(fill("{{x}}").unwrap_err().contains("\"x\""));
    }

    #[test]
    fn every_code_scope_and_route_stands_in_its_table() {
        let (errors, scopes, routes) = (errors(), scopes(), routes());
        for kind in CATALOGUE {
            assert!(errors.contains(&format!("{{#{}}}", kind.code)), "{}", kind.code);
        }
        for scope in Scope::all() {
            assert!(scopes.contains(&format!("| `{}` |", scope.name())), "{}", scope.name());
        }
        assert_eq!(routes.lines().count(), route::all().count() + 2);
        assert_eq!(outcomes().lines().count(), Code::ALL.len() + 2);
    }
}
