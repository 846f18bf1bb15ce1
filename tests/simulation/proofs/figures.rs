//! What the proofs have found.

use std::{env, fs::File, io::Write};

/// Prints what a proof has found, and writes it into the file `PROVE_FIGURES`, if one was named.
pub fn tell(what: &str, found: &str) {
    println!("\n  {what}: {found}");
    if let Some(path) = env::var_os("PROVE_FIGURES") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{what}\t{found}").unwrap();
    }
}
