//! Tables of measured figures: the benchmark, and the proofs at full size.
//!
//! The commands that measure write them into the folder `data` of the sources. Without a file the
//! page says so instead.

use super::{quoted, table};
use serde::{Deserialize, de::DeserializeOwned};
use std::{fs, io::ErrorKind, path::Path};

/// The figures that `cargo xtask bench` wrote last.
const BENCH: &str = "data/bench.json";
/// The results that `cargo xtask prove` wrote last.
const PROOFS: &str = "data/proofs.json";

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
    #[serde(default)]
    wrong: bool,
}

/// The result of one proof.
#[derive(Deserialize)]
struct Proof {
    name: String,
    promise: String,
    size: String,
    result: String,
    seconds: f64,
    date: String,
}

/// Renders the figures of the benchmark, each with its goal.
pub fn bench(folder: &Path) -> Result<String, String> {
    let Some(figures) = read::<Figure>(folder, BENCH)? else {
        return Ok("No figures are recorded yet. `cargo xtask bench` writes this table.".to_owned());
    };
    let rows = figures.into_iter().map(|figure| {
        let unit = &figure.unit;
        let value = |value: Option<f64>| {
            value.map_or(String::new(), |value| format!("{}\u{a0}{unit}", rounded(value)).trim().to_owned())
        };
        let goal = match (&figure.goal, figure.reached) {
            _ if figure.wrong => "wrong responses".to_owned(),
            (Some(goal), Some(true)) => format!("{goal}, reached"),
            (Some(goal), _) => format!("{goal}, missed"),
            (None, _) => String::new(),
        };
        let ratio = figure.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        vec![figure.id.clone(), figure.what.clone(), value(figure.ours), value(figure.peer), ratio, goal]
    });
    Ok(table(&["Id", "Measured", "Ours", "Peer", "Ratio", "Goal"], rows))
}

/// Renders the results of the proofs at full size.
pub fn proofs(folder: &Path) -> Result<String, String> {
    let Some(proofs) = read::<Proof>(folder, PROOFS)? else {
        return Ok("No run at full size is recorded yet. `cargo xtask prove` writes this table.".to_owned());
    };
    let rows = proofs.into_iter().map(|proof| {
        let result = format!("{} in {:.0} s, {}", proof.result, proof.seconds, proof.date);
        vec![quoted(&proof.name), proof.promise, proof.size, result]
    });
    Ok(table(&["Proof", "Promise", "Size", "Result"], rows))
}

/// Reads a list; none if the file does not exist.
fn read<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<Option<Vec<T>>, String> {
    let json = match fs::read_to_string(folder.join(file)) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{file}: {error}")),
    };
    match serde_json::from_str::<Vec<T>>(&json) {
        Ok(rows) if rows.is_empty() => Err(format!("{file} is empty")),
        Ok(rows) => Ok(Some(rows)),
        Err(error) => Err(format!("{file}: {error}")),
    }
}

/// Rounds a figure to the digits that another run repeats.
fn rounded(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(file: &str, text: &str, render: fn(&Path) -> Result<String, String>) -> Result<String, String> {
        let folder = std::env::temp_dir().join(format!("ownchat-figures-{}-{}", std::process::id(), text.len()));
        fs::create_dir_all(folder.join("data")).unwrap();
        fs::write(folder.join(file), text).unwrap();
        let rendered = render(&folder);
        fs::remove_dir_all(folder).unwrap();
        rendered
    }

    #[test]
    fn figures_stand_beside_their_goals() {
        let json = r#"[{"id": "E2", "what": "verify", "ours": 208.4, "peer": 249.0, "ratio": 0.837, "goal": "≤ 0.80",
            "unit": "µs", "reached": false}, {"id": "E5", "what": "reads", "ours": 0.0, "peer": null, "ratio": null,
            "goal": "= 0", "unit": "", "reached": true}]"#;
        let table = with(BENCH, json, bench).unwrap();
        assert!(table.contains("| E2 | verify | 208\u{a0}µs | 249\u{a0}µs | 0.84 | ≤ 0.80, missed |"), "{table}");
        assert!(table.contains("| E5 | reads | 0 |  |  | = 0, reached |"), "{table}");
    }

    #[test]
    fn results_of_the_proofs_have_their_promises() {
        let json = r#"[{"name": "forged", "promise": "It costs nothing.", "size": "1,000,000 keys", "result": "passed",
            "seconds": 61.2, "date": "2026-11-30"}]"#;
        let table = with(PROOFS, json, proofs).unwrap();
        assert!(
            table.contains("| `forged` | It costs nothing. | 1,000,000 keys | passed in 61 s, 2026-11-30 |"),
            "{table}"
        );
    }

    #[test]
    fn a_page_without_figures_says_so_and_bad_figures_are_an_error() {
        let nowhere = Path::new("/nowhere");
        assert!(bench(nowhere).unwrap().contains("`cargo xtask bench`"));
        assert!(proofs(nowhere).unwrap().contains("`cargo xtask prove`"));
        assert!(with(BENCH, "[]", bench).is_err() && with(PROOFS, "[{}]", proofs).is_err());
    }
}
