//! Generates tables from the code that serves them. A source includes one as `{{name}}`, on a line
//! of its own.

mod actions;
mod bindings;
mod catalogue;
mod checks;
mod figures;
mod gateway;
mod limits;
mod management;

use crate::error::BookError;
use ownchat_domain::verdict::Denial;
use std::path::Path;

/// Renders a table, or says why it cannot.
type Render = fn(&Path) -> Result<String, String>;

/// The name of each table, and the function that renders it from the folder of the sources.
const TABLES: &[(&str, Render)] = &[
    ("audit-actions", |_| Ok(actions::actions())),
    ("bench", figures::bench),
    ("bindings", |_| bindings::bindings()),
    ("checks", |_| Ok(checks::checks())),
    ("errors", |_| Ok(catalogue::errors())),
    ("fields", |_| Ok(limits::fields())),
    ("gateway-errors", |_| gateway::errors()),
    ("gateway-timeouts", |_| gateway::timeouts()),
    ("headers-of-edge", |_| gateway::headers_of_edge()),
    ("headers-to-caller", |_| gateway::headers_to_caller()),
    ("headers-to-service", |_| gateway::headers_to_service()),
    ("limits", |_| limits::limits()),
    ("management-routes", |_| management::routes()),
    ("outcomes", |_| Ok(catalogue::outcomes())),
    ("presets", |_| Ok(catalogue::presets())),
    ("proofs", figures::proofs),
    ("refusal-suspended", |_| Ok(catalogue::refusal(&Denial::Suspended))),
    ("refusal-unavailable", |_| Ok(catalogue::refusal(&Denial::Unavailable))),
    ("routes", |_| Ok(catalogue::routes())),
    ("scopes", |_| Ok(catalogue::scopes())),
    ("store-timeouts", |_| gateway::store_timeouts()),
];

/// Expands the tables of the source `text` at `path` in `folder`.
///
/// # Errors
/// Fails on an unknown table, and on a table that cannot be rendered.
pub fn fill(folder: &Path, path: &str, text: &str) -> Result<String, BookError> {
    let mut filled = String::new();
    for line in text.lines() {
        match line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            Some(name) => {
                let table = TABLES.iter().find(|(known, _)| *known == name);
                let (_, render) = table.ok_or_else(|| BookError::new(path, format!("there is no table \"{name}\"")))?;
                let table = render(folder).map_err(|why| BookError::new(path, format!("{{{{{name}}}}}: {why}")))?;
                filled += from_page(path, &table).trim_end();
            }
            None => filled += line,
        }
        filled.push('\n');
    }
    Ok(filled)
}

/// Makes the links of a table relative to the page at `path`. The tables write them from the root
/// of the sources: `](/integrate/errors.md)`.
fn from_page(path: &str, table: &str) -> String {
    table.replace("](/", &format!("]({}", "../".repeat(path.matches('/').count())))
}

/// Formats a text as code.
fn quoted(text: &str) -> String {
    format!("`{text}`")
}

/// Returns the link to an error code.
fn linked(code: &str) -> String {
    format!("[`{code}`](/integrate/errors.md#{code})")
}

/// Formats a duration in milliseconds by its largest whole unit.
fn duration(millis: i64) -> String {
    use ownchat_domain::time::{DAY, HOUR, MINUTE, SECOND};
    let units = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")];
    // One day is known as 24 hours, and one minute as 60 seconds.
    let is_whole = |unit: i64| millis % unit == 0 && (millis > unit || millis == SECOND);
    match units.iter().find(|(unit, _)| is_whole(*unit)) {
        Some((SECOND, name)) if millis == SECOND => format!("1 {name}"),
        Some((unit, name)) => format!("{} {name}s", grouped(&(millis / unit))),
        None => format!("{} ms", grouped(&millis)),
    }
}

/// Formats a number with commas between thousands.
fn grouped(number: &impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Renders a table in Markdown.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    text += &line(head.iter().map(|_| "---".to_owned()).collect());
    let escaped = |row: Vec<String>| row.into_iter().map(|cell| cell.replace('|', "\\|")).collect();
    rows.into_iter().fold(text, |text, row| text + &line(escaped(row)))
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
    fn every_table_is_rendered_from_the_code_of_today() {
        for (name, render) in TABLES {
            let text = render(Path::new("/nowhere")).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert!(!text.trim().is_empty(), "{name}");
        }
    }

    #[test]
    fn links_of_a_table_lead_from_its_page() {
        assert_eq!(from_page("use/a.md", "[b](/c/b.md#d)"), "[b](../c/b.md#d)");
        assert_eq!(from_page("a.md", "[b](/c/b.md)"), "[b](c/b.md)");
    }

    #[test]
    fn numbers_and_durations_are_readable() {
        assert_eq!([7, 1_000, 1_000_000].map(|number| grouped(&number)), ["7", "1,000", "1,000,000"]);
        let durations = [86_400_000, 30 * 86_400_000, 90_000, 60_000, 1_000, 250].map(duration);
        assert_eq!(durations, ["24 hours", "30 days", "90 seconds", "60 seconds", "1 second", "250 ms"]);
    }
}
