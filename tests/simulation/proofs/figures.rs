//! What the proofs have found.

use serde_json::Value;
use std::{env, fs, fs::File, io::Write, path::Path};

/// Prints what a proof has found, and writes it into the file `PROVE_FIGURES`, if one was named.
pub fn tell(what: &str, found: &str) {
    println!("\n  {what}: {found}");
    if let Some(path) = env::var_os("PROVE_FIGURES") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{what}\t{found}").unwrap();
    }
}

/// True if figures are to be written for other programs.
pub fn are_left() -> bool {
    env::var_os("PROVE_FOLDER").is_some()
}

/// Leaves figures for other programs, as `<name>.json` in the folder `PROVE_FOLDER`, if one was named.
pub fn leave(name: &str, figures: &Value) {
    if let Some(folder) = env::var_os("PROVE_FOLDER") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(Path::new(&folder).join(format!("{name}.json")), figures.to_string()).unwrap();
    }
}
