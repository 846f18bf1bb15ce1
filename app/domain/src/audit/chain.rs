//! Verifies the hash chain of a trail: each line is unaltered and follows the previous line.

use super::{BEGINNING, Line, hash};

/// First flaw of a trail and its position. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The line is not an audit line.
    #[error("line {0} is not a line of an audit trail")]
    Unreadable(u64),
    /// The line was altered.
    #[error("line {0} was altered: its hash does not fit")]
    Altered(u64),
    /// The line is intact but out of place: lines are missing here, or were moved or inserted.
    #[error("line {line} has the number {found}: a line is missing here, or lines were moved or put in")]
    Misplaced {
        /// Position of the line, and its expected number.
        line: u64,
        /// Actual number of the line.
        found: u64,
    },
    /// The line has the right number but does not follow the previous line.
    #[error("line {0} does not follow the line before it: one of the two was written anew")]
    Broken(u64),
}

/// Verifies a trail line by line, in bounded memory.
#[derive(Clone, Debug)]
pub struct Chain {
    count: u64,
    head: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { count: 0, head: BEGINNING.to_owned() }
    }
}

impl Chain {
    /// Verifies the next line, as [`super::seal`] wrote it.
    ///
    /// # Errors
    ///
    /// Returns the flaw of this line. The chain stays at the previous line.
    pub fn take(&mut self, text: &str) -> Result<Line, Flaw> {
        let number = self.count + 1;
        let (body, found) = split(text).ok_or(Flaw::Unreadable(number))?;
        if hash(&body) != found {
            return Err(Flaw::Altered(number));
        }
        let line: Line = serde_json::from_str(&body).map_err(|_| Flaw::Unreadable(number))?;
        if line.sequence != number {
            return Err(Flaw::Misplaced { line: number, found: line.sequence });
        }
        if line.previous != self.head {
            return Err(Flaw::Broken(number));
        }
        found.clone_into(&mut self.head);
        self.count = number;
        Ok(line)
    }

    /// Returns the number of verified lines.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Returns the hash of the last verified line, or [`BEGINNING`] for an empty chain.
    ///
    /// A comparison with the known last hash reveals truncation.
    pub fn head(&self) -> &str {
        &self.head
    }
}

/// Verifies a whole trail, line by line. Returns the number of lines and the last hash.
///
/// # Errors
///
/// Returns the first flaw.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<(u64, String), Flaw> {
    let mut chain = Chain::default();
    for text in lines {
        chain.take(text)?;
    }
    Ok((chain.count, chain.head))
}

/// Splits a line into its body without the hash, and the hash.
fn split(text: &str) -> Option<(String, &str)> {
    let (open, rest) = text.rsplit_once(",\"hash\":\"")?;
    let hash = rest.strip_suffix("\"}")?;
    Some((format!("{open}}}"), hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit::seal, testing::line};
    use proptest::prelude::*;

    fn trail(length: u64) -> Vec<String> {
        let mut last = BEGINNING.to_owned();
        (1..=length)
            .map(|sequence| {
                let (text, hash) = seal(&line(sequence, &last, "a \"quoted\" reason,\"hash\":\"x\"}"));
                last = hash;
                text
            })
            .collect()
    }

    fn check(lines: &[String]) -> Result<(u64, String), Flaw> {
        verify(lines.iter().map(String::as_str))
    }

    #[test]
    fn a_whole_trail_verifies() {
        let lines = trail(20);
        assert_eq!(check(&lines).unwrap().0, 20);
        assert_eq!(check(&[]), Ok((0, BEGINNING.to_owned())));
    }

    #[test]
    fn an_altered_removed_or_repeated_line_is_found() {
        let lines = trail(9);
        let altered = |place: usize, from: &str, to: &str| {
            let mut lines = lines.clone();
            lines[place] = lines[place].replacen(from, to, 1);
            check(&lines)
        };
        assert_eq!(altered(4, "Ada", "Eve"), Err(Flaw::Altered(5)));
        assert_eq!(altered(4, "\"previous\":\"", "\"previous\":\"0"), Err(Flaw::Altered(5)));
        assert_eq!(altered(4, "{", "["), Err(Flaw::Altered(5)));
        assert_eq!(altered(4, "\"}", "\" }"), Err(Flaw::Altered(5)));
        let mut without = lines.clone();
        without.remove(3);
        assert_eq!(check(&without), Err(Flaw::Misplaced { line: 4, found: 5 }));
        let mut twice = lines.clone();
        twice.insert(3, lines[3].clone());
        assert_eq!(check(&twice), Err(Flaw::Misplaced { line: 5, found: 4 }));
        let mut moved = lines.clone();
        moved.swap(2, 3);
        assert_eq!(check(&moved), Err(Flaw::Misplaced { line: 3, found: 4 }));
        let mut forged = lines.clone();
        forged[8] = seal(&line(9, BEGINNING, "forged")).0;
        assert_eq!(check(&forged), Err(Flaw::Broken(9)));
        assert_eq!(check(&[String::from("x")]), Err(Flaw::Unreadable(1)));
        // Truncation shows only in the last hash.
        assert_ne!(check(&lines[..8]).unwrap().1, check(&lines).unwrap().1);
    }

    proptest! {
        #[test]
        fn any_reason_stays_in_its_field(reason in ".{0,80}") {
            let (text, hash) = seal(&line(1, BEGINNING, &reason));
            prop_assert_eq!(verify([text.as_str()]), Ok((1, hash)));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,200}") {
            let _ = verify([text.as_str()]);
        }
    }
}
