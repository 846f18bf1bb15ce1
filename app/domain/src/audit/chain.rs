//! Checking a trail: every line is what was written, and follows the line before it.

use super::{BEGINNING, Line, hash};

/// What is wrong with a trail, and where. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The line is not one of a trail.
    #[error("line {0} is not a line of an audit trail")]
    Unreadable(u64),
    /// The line was altered.
    #[error("line {0} was altered: its hash does not fit")]
    Altered(u64),
    /// The line is good by itself and belongs elsewhere: a line is missing here, or some were moved.
    #[error("line {line} has the number {found}: a line is missing here, or lines were moved or put in")]
    Misplaced {
        /// Where it stands, and the number that it should have.
        line: u64,
        /// The number that it has.
        found: u64,
    },
    /// The line has the right number and does not follow the line before it.
    #[error("line {0} does not follow the line before it: one of the two was written anew")]
    Broken(u64),
}

/// A trail that is checked line by line, in bounded memory.
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
    /// Checks the next line, as [`super::seal`] wrote it.
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

    /// How many lines were good.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Hash of the last of them; [`BEGINNING`] if there was none. It tells whether lines are missing at the end.
    pub fn head(&self) -> &str {
        &self.head
    }
}

/// Checks the chain of a whole trail, given line by line. Returns how many lines it has and the last hash.
pub fn verify<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<(u64, String), Flaw> {
    let mut chain = Chain::default();
    for text in lines {
        chain.take(text)?;
    }
    Ok((chain.count, chain.head))
}

/// The line without its hash, and the hash.
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
    fn what_was_tampered_with_is_found() {
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
        // What was cut off at the end shows in the last hash alone.
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
