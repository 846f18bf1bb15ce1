//! Splits a chunked body into batches of lines.

use crate::texts;
use ownchat_domain::{
    token::BYTE_ORDER_MARK,
    transfer::{BadLine, LINE_MAX},
};
use std::collections::VecDeque;

/// Maximum lines of a batch, and its approximate maximum bytes.
const BATCH_LINES: usize = 100;
const BATCH_BYTES: usize = 512 * 1024;

/// Splits chunks into lines. Buffers no more than one chunk and one batch.
#[derive(Default)]
pub struct Lines {
    rest: Vec<u8>,
    whole: VecDeque<String>,
    bytes: usize,
    /// Number of lines already returned.
    done: u64,
}

impl Lines {
    /// Adds a chunk.
    pub fn take(&mut self, chunk: &[u8]) -> Result<(), BadLine> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.len() > LINE_MAX {
                return Err(self.bad(texts::line_too_long()));
            }
            if self.rest.last() == Some(&b'\n') {
                self.rest.pop();
                self.push()?;
            }
        }
        Ok(())
    }

    /// Returns the next full batch and the number of its first line, once there is one.
    pub fn batch(&mut self) -> Option<(u64, Vec<String>)> {
        (self.whole.len() >= BATCH_LINES || self.bytes >= BATCH_BYTES).then(|| self.hand_out())
    }

    /// Returns the remaining lines. The last one may lack its line break.
    pub fn finish(mut self) -> Result<(u64, Vec<String>), BadLine> {
        if !self.rest.is_empty() {
            self.push()?;
        }
        Ok(self.hand_out())
    }

    fn hand_out(&mut self) -> (u64, Vec<String>) {
        let first = self.done + 1;
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_LINES && bytes < BATCH_BYTES {
            let Some(line) = self.whole.pop_front() else { break };
            bytes += line.len();
            batch.push(line);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        self.done += batch.len() as u64;
        (first, batch)
    }

    /// Queues a complete line. Removes a byte order mark and a CR before LF, which editors and
    /// shells add.
    fn push(&mut self) -> Result<(), BadLine> {
        if self.rest.last() == Some(&b'\r') {
            self.rest.pop();
        }
        match String::from_utf8(std::mem::take(&mut self.rest)) {
            Ok(mut line) => {
                if self.done == 0 && self.whole.is_empty() && line.starts_with(BYTE_ORDER_MARK) {
                    line.drain(..BYTE_ORDER_MARK.len());
                }
                self.bytes += line.len();
                self.whole.push_back(line);
                Ok(())
            }
            Err(_) => Err(self.bad(texts::NOT_UTF8.into())),
        }
    }

    fn bad(&self, message: String) -> BadLine {
        BadLine { line: self.done + self.whole.len() as u64 + 1, message }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn all(chunks: &[&[u8]]) -> Result<Vec<String>, BadLine> {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        for chunk in chunks {
            lines.take(chunk)?;
            while let Some((first, batch)) = lines.batch() {
                assert_eq!(first, all.len() as u64 + 1);
                assert!(batch.len() <= BATCH_LINES);
                all.extend(batch);
            }
        }
        let (first, rest) = lines.finish()?;
        assert_eq!(first, all.len() as u64 + 1);
        all.extend(rest);
        Ok(all)
    }

    #[test]
    fn lines_are_the_same_wherever_chunks_end() {
        let expected: Vec<String> = (0..350).map(|number| format!("line {number}")).collect();
        let text = expected.join("\n");
        for size in [1, 7, 64, 10_000] {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(all(&chunks).unwrap(), expected, "{size}");
        }
        assert_eq!(all(&[b"a\n\nb"]).unwrap(), ["a", "", "b"]);
        assert_eq!(all(&[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_are_no_part_of_lines() {
        let mark = BYTE_ORDER_MARK.as_bytes();
        for size in [1, 2, 100] {
            let text = [mark, b"a\r\n\r\n", mark, b"b\rc\r\nd\r"].concat();
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(all(&chunks).unwrap(), ["a", "", "\u{feff}b\rc", "d"], "{size}");
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        assert_eq!(all(&[b"a\n", b"\xff\n"]).unwrap_err().line, 2);
        let long = vec![b'x'; LINE_MAX + 1];
        let bad = all(&[b"a\nb\n", &long]).unwrap_err();
        assert!(bad.line == 3 && bad.message.contains("longer"), "{bad}");
    }

    #[test]
    fn a_batch_is_bounded_in_bytes() {
        let mut lines = Lines::default();
        let line = vec![b'x'; 200 * 1024];
        for _ in 0..5 {
            lines.take(&line).unwrap();
            lines.take(b"\n").unwrap();
        }
        assert_eq!(lines.batch().map(|(first, batch)| (first, batch.len())), Some((1, 3)));
        assert!(lines.batch().is_none());
        assert_eq!(lines.finish().unwrap().1.len(), 2);
    }
}
