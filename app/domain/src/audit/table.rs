//! Exports audit lines as CSV for spreadsheets (RFC 4180).

use super::{Action, Line};
use crate::{
    key::{Reason, Status},
    token::BYTE_ORDER_MARK,
};
use serde::Deserialize;
use serde_json::value::RawValue;

const HEAD: &str =
    "sequence,at,actor,actor_name,action,key,key_name,key_status,reason,address,request_id,before,after\r\n";

/// Key fields with columns of their own.
#[derive(Default, Deserialize)]
struct KeyWords {
    #[serde(default)]
    name: String,
    status: Option<Status>,
    reason: Option<Reason>,
}

impl KeyWords {
    /// Reads the key as it was after the change, or else before it.
    fn of(line: &Line) -> Self {
        let of = |value: &Option<Box<RawValue>>| serde_json::from_str(value.as_deref()?.get()).ok();
        line.key.and_then(|_| of(&line.after).or_else(|| of(&line.before))).unwrap_or_default()
    }

    /// Returns the state of the key after `action`, or the reason for its inactivity.
    const fn status(&self, action: Action) -> &'static str {
        match (action, self.status, self.reason) {
            (Action::Purge, ..) => "purged",
            (Action::Delete, ..) => "deleted",
            (_, None, _) => "",
            (_, Some(Status::Active), _) => "active",
            (_, Some(Status::Inactive), None) => "inactive",
            (_, _, Some(Reason::Deleted)) => "deleted",
            (_, _, Some(Reason::Deactivated)) => "deactivated",
            (_, _, Some(Reason::Scheduled)) => "scheduled",
            (_, _, Some(Reason::Expired)) => "expired",
        }
    }
}

/// Serialises lines as CSV, and skips texts that are no audit line.
///
/// A byte order mark tells spreadsheets that the text is UTF-8. A quote precedes each value that a
/// spreadsheet would take for a formula. So no text is ever evaluated (OWASP, CSV injection).
pub fn csv<T: AsRef<str>>(lines: &[T]) -> String {
    let mut table = [BYTE_ORDER_MARK, HEAD].concat();
    for line in lines.iter().filter_map(|line| serde_json::from_str::<Line>(line.as_ref()).ok()) {
        let json = |value: &Option<Box<RawValue>>| value.as_ref().map(|value| value.get().to_owned());
        let key = KeyWords::of(&line);
        let cells = [
            Some(line.sequence.to_string()),
            Some(line.at.moment().rfc3339()),
            line.actor.map(|actor| actor.to_string()),
            Some(line.actor_name.clone()),
            Some(line.action.as_str().to_owned()),
            line.key.map(|key| key.to_string()),
            Some(key.name.clone()),
            Some(key.status(line.action).to_owned()),
            line.reason.clone(),
            Some(line.address.clone()),
            Some(line.request_id.clone()),
            json(&line.before),
            json(&line.after),
        ];
        let cells: Vec<String> = cells.into_iter().map(|cell| cell_of(&cell.unwrap_or_default())).collect();
        table.push_str(&cells.join(","));
        table.push_str("\r\n");
    }
    table
}

/// Characters that begin a formula, including their full-width East Asian forms.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

fn cell_of(text: &str) -> String {
    // Some programs skip leading spaces.
    let guard = if text.trim_start_matches(' ').starts_with(FORMULA) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::{BEGINNING, seal},
        testing::line,
    };

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.into()).unwrap()
    }

    #[test]
    fn a_spreadsheet_computes_nothing() {
        let table = csv(&[seal(&line(1, BEGINNING, "=cmd()|' /C calc'!A0")).0, "no line".into()]);
        let mut rows = table.lines();
        let head = rows.next().unwrap().strip_prefix('\u{feff}').unwrap();
        let columns =
            "sequence,at,actor,actor_name,action,key,key_name,key_status,reason,address,request_id,before,after";
        assert_eq!(head, columns);
        let row = rows.next().unwrap();
        assert!(row.starts_with("\"1\",\"2026-11-23T16:46:48.000Z\",\"0000000000000001\",\"Ada\""), "{row}");
        assert!(row.contains(",\"'=cmd()|' /C calc'!A0\","), "{row}");
        assert!(row.contains("\"{\"\"status\"\":\"\"active\"\"}\""), "{row}");
        assert_eq!(rows.next(), None);
        for text in ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", " =1", "\u{ff1d}1"] {
            assert_eq!(cell_of(text), format!("\"'{text}\""));
        }
        assert_eq!(cell_of("a=1"), "\"a=1\"");
    }

    #[test]
    fn a_key_has_its_name_and_its_state_in_columns() {
        let active = || Some(raw(r#"{"name":"Till 7","status":"active"}"#));
        let expired = Some(raw(r#"{"name":"Till 7","status":"inactive","reason":"expired"}"#));
        let odd = Some(raw(r#"{"name":"=1","status":"inactive"}"#));
        for (action, before, after, columns) in [
            (Action::Create, None, active(), "\"Till 7\",\"active\""),
            (Action::Edit, active(), expired, "\"Till 7\",\"expired\""),
            (Action::Edit, active(), odd, "\"'=1\",\"inactive\""),
            (Action::Delete, active(), None, "\"Till 7\",\"deleted\""),
            (Action::Purge, active(), None, "\"Till 7\",\"purged\""),
            (Action::Edit, None, Some(raw("{}")), "\"\",\"\""),
        ] {
            let line = Line { action, before, after, ..line(1, BEGINNING, "x") };
            let table = csv(&[seal(&line).0]);
            assert!(table.contains(&format!(",\"JCgnh3DhfKRFKbvX\",{columns},\"x\",")), "{table}");
        }
        let of_workspace = Line { key: None, after: Some(raw(r#"{"name":"Acme"}"#)), ..line(1, BEGINNING, "x") };
        assert!(!csv(&[seal(&of_workspace).0]).contains(",\"Acme\","));
    }
}
