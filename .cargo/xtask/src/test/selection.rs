//! Parses the arguments of `cargo xtask test`.

use super::stages::{STAGES, Stage, list};
use crate::{build::Mode, failure::Failure};

/// The stages to run, and a filter on their tests.
#[derive(Debug)]
pub struct Selection {
    /// The stages, in the order of the table.
    pub stages: Vec<&'static Stage>,
    /// Filter: only tests with this text in their names run.
    pub filter: Option<String>,
    /// The build mode to test.
    pub mode: Mode,
}

impl Selection {
    /// Reads `[STAGE…] [--dev] [-- FILTER]`.
    pub fn read(words: &[&str]) -> Result<Self, Failure> {
        let failed =
            |why: String| Failure::new("read the command line", why, format!("choose from these:\n{}", list()));
        let (names, filter) = match words.iter().position(|word| *word == "--") {
            None => (words, None),
            Some(place) => match words.split_at(place) {
                (names, [_, filter]) if !filter.is_empty() => (names, Some((*filter).to_owned())),
                _ => return Err(failed("-- is followed by one part of a test's name".into())),
            },
        };
        let is_option = |word: &&&str| word.starts_with('-');
        let mode = if names.contains(&"--dev") { Mode::Dev } else { Mode::Release };
        if let Some(unknown) = names.iter().filter(is_option).find(|word| **word != "--dev") {
            return Err(failed(format!("there is no option \"{unknown}\"")));
        }
        let names: Vec<&&str> = names.iter().filter(|word| !is_option(word)).collect();
        if let Some(unknown) = names.iter().find(|name| !STAGES.iter().any(|stage| stage.name == ***name)) {
            let why =
                format!("there is no stage \"{unknown}\"; for a test of that name: cargo xtask test -- {unknown}");
            return Err(failed(why));
        }
        // A filter without named stages selects every stage with tests.
        let is_chosen = |stage: &&Stage| match (names.is_empty(), &filter) {
            (true, None) => true,
            (true, Some(_)) => stage.has_tests,
            (false, _) => names.iter().any(|name| **name == stage.name),
        };
        let stages: Vec<&Stage> = STAGES.iter().filter(is_chosen).collect();
        if let Some(without) = stages.iter().find(|stage| filter.is_some() && !stage.has_tests) {
            return Err(failed(format!("the stage {} has no tests to choose from", without.name)));
        }
        Ok(Self { stages, filter, mode })
    }

    /// Returns true if every stage runs with all of its tests.
    pub fn is_everything(&self) -> bool {
        self.stages.len() == STAGES.len() && self.filter.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        Selection::read(words).unwrap().stages.iter().map(|stage| stage.name).collect()
    }

    #[test]
    fn no_word_means_everything() {
        let all = Selection::read(&[]).unwrap();
        assert!(all.is_everything() && all.mode == Mode::Release);
    }

    #[test]
    fn stages_and_tests_are_chosen() {
        assert_eq!(names(&["api", "lint"]), ["lint", "api"]);
        let one = Selection::read(&["api", "--dev", "--", "quota"]).unwrap();
        assert_eq!((one.filter.as_deref(), one.mode, one.is_everything()), (Some("quota"), Mode::Dev, false));
        let with_tests = names(&["--", "quota"]);
        assert!(with_tests.contains(&"unit") && with_tests.contains(&"browser") && !with_tests.contains(&"lint"));
    }

    #[test]
    fn a_word_that_is_not_understood_is_named() {
        for (words, why) in [
            (&["apis"][..], "no stage \"apis\""),
            (&["--fast"], "no option \"--fast\""),
            (&["api", "--"], "followed by"),
            (&["api", "--", "a", "b"], "followed by"),
            (&["sizes", "--", "a"], "sizes has no tests"),
        ] {
            let failure = Selection::read(words).unwrap_err();
            assert!(failure.why.contains(why) && failure.remedy.contains("proofs"), "{failure}");
        }
    }
}
