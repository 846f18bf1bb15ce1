//! `cargo xtask prove`: the promises on the simulated deployment, at full size.

use crate::{
    build::{Mode, cargo, part::Part},
    failure::Failure,
    place::target,
    setup,
    step::run,
    test::{MEND, SIMULATION},
};
use std::{fs, io};

/// Builds what is simulated, proves everything, and prints what was found.
pub fn run_all() -> Result<(), Failure> {
    let tools = setup::tools()?;
    for part in [Part::Vault, Part::Edge] {
        part.build_if_changed(&tools, Mode::Release)?;
    }
    let figures = target().join("prove/figures.txt");
    let failed = |error: io::Error| Failure::new("prove", error.to_string(), "see whether the disk is full");
    fs::create_dir_all(target().join("prove")).map_err(failed)?;
    fs::write(&figures, "").map_err(failed)?;
    let mut proofs = cargo(&["test", "--quiet", "--package", SIMULATION, "--test", "proofs"]);
    proofs.env("PROVE", "1").env("PROVE_FIGURES", &figures);
    let outcome = run("prove the promises at full size (about an hour on two cores)", &mut proofs, MEND);
    println!("\n{}", table(&fs::read_to_string(&figures).map_err(failed)?));
    outcome
}

/// Lines of a name, a tab and what was found, as a table.
fn table(lines: &str) -> String {
    let rows: Vec<(&str, &str)> = lines.lines().filter_map(|line| line.split_once('\t')).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, found)| format!("{name:width$}  {found}\n")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_below_each_other() {
        assert_eq!(table("a\tone\nlonger\ttwo\nno figure\n"), "a       one\nlonger  two\n");
    }
}
