//! The length of a README: a reader takes it in at one sitting.

/// Most lines of the README of a crate or a test suite.
const LINES: usize = 80;

/// Most lines of the README at the root.
const LINES_OF_ROOT: usize = 120;

/// The fault of a README that is too long.
pub fn fault(path: &str, text: &str) -> Option<String> {
    let most = match path.strip_suffix("README.md")? {
        "" => LINES_OF_ROOT,
        folder if folder.ends_with('/') => LINES,
        _ => return None,
    };
    let lines = text.lines().count();
    (lines > most).then(|| format!("{path}: it has {lines} lines: at most {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_readme_is_a_fault() {
        for (path, lines, is_good) in [
            ("app/domain/README.md", LINES, true),
            ("app/domain/README.md", LINES + 1, false),
            ("README.md", LINES_OF_ROOT, true),
            ("README.md", LINES_OF_ROOT + 1, false),
            ("app/docs/a.md", LINES_OF_ROOT + 1, true),
        ] {
            assert_eq!(fault(path, &"a\n".repeat(lines)).is_none(), is_good, "{path} {lines}");
        }
    }
}
