//! `cargo xtask test`: everything that must hold, in the order in which it is cheapest to find out.

use crate::{build::cargo, failure::Failure, step::run};

/// The packages with the features that are looked at, each linted and tested by itself: features of one
/// must not leak into another.
const PACKAGES: &[(&str, &str)] = &[
    ("xtask", ""),
    ("ownchat-domain", ""),
    ("ownchat-edge", ""),
    ("ownchat-vault", ""),
    ("ownchat-services", ""),
    ("ownchat-ui", "ssr"),
    ("ownchat-ui", "hydrate"),
    ("ownchat-frontend", ""),
    ("ownchat-console", ""),
];

/// Runs all of it.
pub fn run_all() -> Result<(), Failure> {
    run("format", &mut cargo(&["fmt", "--all", "--check"]), "run cargo fmt --all")?;
    for (package, features) in PACKAGES {
        let mut clippy = cargo(&["clippy", "--quiet", "--package", package, "--features", features, "--all-targets"]);
        clippy.args(["--", "--deny", "warnings"]);
        run(&format!("lint {package} {features}"), &mut clippy, "mend what clippy names above")?;
    }
    for (package, features) in PACKAGES {
        run(
            &format!("test {package} {features}"),
            &mut cargo(&["test", "--quiet", "--package", package, "--features", features]),
            "see the test that is named above",
        )?;
    }
    println!("\nall good");
    Ok(())
}
