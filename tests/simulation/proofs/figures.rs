//! Reports the figures of the proofs.

use serde_json::Value;
use std::{env, fs, fs::File, io::Write, path::Path};

/// Prints a figure, and appends it to the file `PROVE_FIGURES`, if set.
pub fn report(what: &str, found: &str) {
    println!("\n  {what}: {found}");
    if let Some(path) = env::var_os("PROVE_FIGURES") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{what}\t{found}").unwrap();
    }
}

/// Returns true if figures are to be written for other programs.
pub fn are_exported() -> bool {
    env::var_os("PROVE_FOLDER").is_some()
}

/// Writes figures for other programs, as `<name>.json` in the folder `PROVE_FOLDER`, if set.
pub fn export(name: &str, figures: &Value) {
    if let Some(folder) = env::var_os("PROVE_FOLDER") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(Path::new(&folder).join(format!("{name}.json")), figures.to_string()).unwrap();
    }
}
