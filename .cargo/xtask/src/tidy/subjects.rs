//! Rules for the subjects of commits.

use crate::{paths::root, step::output};
use std::process::Command;

/// Most characters of a subject: `git log --oneline` shows it whole in a terminal of 80 columns.
const LENGTH: usize = 72;

/// Commits that are looked at. Older ones cannot be changed.
const RECENT: &str = "40";

/// The subjects of the recent commits; none where git knows none.
pub fn recent() -> Vec<String> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["log", "--no-merges", "--format=%s", "-n", RECENT]);
    output(&mut git).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The faults of subjects: `area: Subject`, of at most 72 characters.
pub fn faults(subjects: &[String]) -> Vec<String> {
    subjects.iter().filter_map(|subject| Some(format!("commit \"{subject}\": {}", fault(subject)?))).collect()
}

fn fault(subject: &str) -> Option<String> {
    let length = subject.chars().count();
    if length > LENGTH {
        return Some(format!("the subject has {length} characters: at most {LENGTH}"));
    }
    let is_formed = subject.split_once(": ").is_some_and(|(area, what)| {
        !area.is_empty() && !area.starts_with(char::is_uppercase) && what.starts_with(char::is_uppercase)
    });
    (!is_formed).then(|| "write it as \"area: Do this\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_its_area_and_fits_a_line() {
        for (subject, is_good) in [
            ("edge: Refuse bodies that are no JSON".to_owned(), true),
            ("edge, vault: Share the timeouts".to_owned(), true),
            ("refuse bodies".to_owned(), false),
            ("edge: refuse bodies".to_owned(), false),
            ("Edge: Refuse bodies".to_owned(), false),
            (format!("edge: A{}", "a".repeat(65)), true),
            (format!("edge: A{}", "a".repeat(66)), false),
        ] {
            assert_eq!(faults(std::slice::from_ref(&subject)).is_empty(), is_good, "{subject}");
        }
    }
}
