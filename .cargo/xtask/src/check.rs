//! `cargo xtask check`: tidy rules, third-party crates, format, lints and host tests of the
//! packages that a change can break. Builds no WASM.

use crate::{
    build::sources::{normal_form, of_crate},
    crates,
    failure::Failure,
    packages::{Changed, Packages},
    paths::root,
    setup,
    step::{Steps, output, say},
    test::TESTS_REMEDY,
    tidy,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

/// Checks the packages that differ from the last commit on main, and their dependents.
/// `--all` checks every package.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    tidy::run()?;
    crates::check(Steps::Sequential)?;
    let packages = Packages::read()?;
    let chosen = match words {
        [] => packages.affected_by(&changed_files(&packages)?),
        ["--all"] => packages.all(),
        other => {
            let why = format!("there is no option \"{}\"", other.join(" "));
            return Err(Failure::new("read the command line", why, "use --all, or nothing"));
        }
    };
    if chosen.packages.is_empty() {
        say("no package differs from the last commit on main; cargo xtask check --all checks every package");
        return Ok(());
    }
    let names: Vec<&str> = chosen.packages.iter().map(|package| package.name()).collect();
    say(&format!("checking {}", names.join(", ")));
    setup::components()?;
    chosen.format(Steps::Sequential)?;
    chosen.lint(Steps::Sequential)?;
    chosen.document(Steps::Sequential)?;
    for test in chosen.host_tests(Steps::Sequential)? {
        Steps::Sequential.run(&format!("test {}", test.name), &mut test.command(), TESTS_REMEDY)?;
    }
    say("\nall good");
    Ok(())
}

/// Returns the files that differ from the last commit on main, and untracked files.
fn changed_files(packages: &Packages) -> Result<Vec<Changed>, Failure> {
    let git = |words: &[&str]| output(Command::new("git").current_dir(root()).args(words));
    let failed = || Failure::new("find what has changed", "git does not know", "use cargo xtask check --all");
    // A shallow checkout may lack main; then `HEAD` is the base.
    let base = git(&["merge-base", "main", "HEAD"]).or_else(|| git(&["rev-parse", "HEAD"])).ok_or_else(failed)?;
    let differing = git(&["diff", "--name-only", "--no-renames", &base]).ok_or_else(failed)?;
    let new = git(&["ls-files", "--others", "--exclude-standard"]).ok_or_else(failed)?;
    let code = code(packages)?;
    let changed = |path: &str| {
        let file = root().join(path);
        let was = || git(&["show", &format!("{base}:{path}")]).and_then(|text| normal_form(&text));
        let is = || normal_form(&fs::read_to_string(&file).ok()?);
        let is_gone = !file.exists();
        // Removed files and manifests always count as code.
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let is_code = is_gone || path.ends_with("Cargo.toml") || code.contains(&file) && !(is_rust && was() == is());
        Changed { path: path.into(), is_code }
    };
    Ok(differing.lines().chain(new.lines()).map(changed).collect())
}

/// Returns the files that are compiled into any package, except test-only files.
fn code(packages: &Packages) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut found = BTreeMap::new();
    for root in packages.all().packages.iter().filter_map(|package| package.code()) {
        of_crate(root, &mut found).map_err(|why| Failure::new("read the sources", why, "fix that file"))?;
    }
    Ok(found.into_keys().collect())
}
