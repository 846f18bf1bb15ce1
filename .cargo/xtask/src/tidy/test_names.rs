//! Names of Rust tests: each states a rule, in the terms of the field.

/// Most characters of a test's name.
const LENGTH: usize = 60;

/// Attributes that mark a function as a test.
const MARKS: &[&str] = &["#[test]", "#[tokio::test"];

/// The faults of the names of the tests in one file.
pub fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_test = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        is_test |= MARKS.iter().any(|mark| line.starts_with(mark));
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let Some(function) = function.filter(|_| is_test) else { continue };
        is_test = false;
        let name = function.split(['(', '<']).next().unwrap_or_default();
        let length = name.chars().count();
        if length > LENGTH {
            faults.push(format!("{path}:{number}: the test's name has {length} characters: at most {LENGTH}"));
        }
        if name.split('_').any(|word| word == "what") {
            faults.push(format!("{path}:{number}: the test's name says \"what\": use the term"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_or_one_with_a_clause_is_a_fault() {
        let long = |length| format!("#[test]\nfn {}() {{}}\n", "a".repeat(length));
        for (text, count) in [
            (long(LENGTH), 0),
            (long(LENGTH + 1), 1),
            ("#[test]\nfn what_is_stored_is_read() {}\n".into(), 1),
            ("    #[tokio::test]\n    async fn it_says_what_failed() {}\n".into(), 1),
            ("#[test]\n#[should_panic]\nfn tells_what() {}\n".into(), 1),
            ("#[test]\nfn a_whatnot_is_stored() {}\n".into(), 0),
            (format!("fn {}() {{}}\nfn what() {{}}\n", "a".repeat(90)), 0),
            ("#[test]\nfn a() {}\nfn what() {}\n".into(), 0),
        ] {
            assert_eq!(faults("a.rs", &text).len(), count, "{text}");
        }
    }
}
