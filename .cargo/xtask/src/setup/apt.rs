//! Installs Debian packages with apt-get.

use crate::{failure::Failure, paths::on_path, step::Steps};
use std::process::Command;

/// Installs packages. Needs root, or `sudo` without a password.
pub fn install(packages: &[&str]) -> Result<(), Failure> {
    let step = format!("install {}", packages.join(", "));
    let by_hand = format!("as root, run: apt-get install --no-install-recommends {}", packages.join(" "));
    let Some(apt) = on_path("apt-get") else {
        return Err(Failure::new(
            step,
            "there is no apt-get on this machine",
            "install what these Debian packages hold",
        ));
    };
    let command = |words: &[&str]| {
        let mut command = if is_root() { Command::new(&apt) } else { Command::new("sudo") };
        if !is_root() {
            command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive"]).arg(&apt);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive").args(words);
        command
    };
    Steps::Sequential.run("read the package lists", &mut command(&["update", "-qq"]), &by_hand)?;
    let words: Vec<&str> =
        ["install", "-y", "-qq", "--no-install-recommends"].into_iter().chain(packages.iter().copied()).collect();
    Steps::Sequential.run(&step, &mut command(&words), &by_hand)
}

fn is_root() -> bool {
    crate::step::output(Command::new("id").arg("-u")).as_deref() == Some("0")
}
