//! Tests of the verdicts on trails that were tampered with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use ownchat_domain::{
    audit::{Action, BEGINNING, Line, seal},
    time::Timestamp,
};

fn trail(length: u64) -> Vec<String> {
    trail_of("Ownchat", length)
}

fn trail_of(actor: &str, length: u64) -> Vec<String> {
    let mut previous = BEGINNING.to_owned();
    let mut lines = Vec::new();
    for sequence in 1..=length {
        let line = Line {
            sequence,
            at: Timestamp::from_millis(1_795_452_408_000 + i64::try_from(sequence).unwrap() * 1_000).into(),
            actor: None,
            actor_name: actor.into(),
            action: Action::Purge,
            key: None,
            reason: None,
            before: None,
            after: None,
            address: String::new(),
            request_id: String::new(),
            previous,
        };
        let (text, hash) = seal(&line);
        lines.push(text);
        previous = hash;
    }
    lines
}

fn ask(lines: &[String], head: Option<&str>) -> Result<TrailSummary, String> {
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    examine(&mut text.as_bytes(), head).map_err(|fault| fault.to_string())
}

#[test]
fn a_good_trail_says_how_long_it_is_and_where_it_ends() {
    let lines = trail(5);
    let report = ask(&lines, None).unwrap();
    assert_eq!((report.lines, report.first.as_str()), (5, "2026-11-23T16:46:49.000Z"));
    assert_eq!(report.last, "2026-11-23T16:46:53.000Z");
    assert!(lines[4].ends_with(&format!("\"hash\":\"{}\"}}", report.head)));
    assert_eq!(ask(&lines, Some(&report.head.to_uppercase())), Ok(report));
}

#[test]
fn the_first_bad_line_is_named_with_the_reason() {
    let lines = trail(6);
    let mut altered = lines.clone();
    altered[2] = altered[2].replace("Ownchat", "Nobody");
    let mut removed = lines.clone();
    removed.drain(2..4);
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let mut twice = lines.clone();
    twice.insert(3, lines[2].clone());
    let mut forged = lines.clone();
    forged[2] = seal(&Line { previous: BEGINNING.into(), ..serde_json::from_str(&lines[2]).unwrap() }).0;
    for (lines, why) in [
        (altered, "bad: line 3 was altered: its hash does not fit"),
        (removed, "bad: at line 3 of the file the lines with the numbers 3 to 4 are missing"),
        (swapped, "bad: line 3 is out of order: it has the number 4, and number 3 stands further below"),
        (twice, "bad: line 4 is out of order: it has the number 3, which was there before"),
        (forged, "bad: line 3 does not follow the line before it: one of the two was written anew"),
        (lines[2..].to_vec(), "bad: at line 1 of the file the lines with the numbers 1 to 2 are missing"),
        (vec!["x".into()], "bad: line 1 is not a line of an audit trail"),
        (Vec::new(), "the file holds no line"),
    ] {
        assert_eq!(ask(&lines, None).unwrap_err(), why);
    }
}

/// Names may contain U+FFFD, the character that commonly replaces invalid UTF-8.
#[test]
fn invalid_utf8_is_an_alteration_even_if_the_hash_fits() {
    let good = trail_of("Ada \u{fffd}", 3).join("\n").into_bytes();
    assert!(examine(&mut good.as_slice(), None).is_ok(), "the character itself is a text");
    let places: Vec<usize> =
        (0..good.len()).filter(|place| good[*place..].starts_with("\u{fffd}".as_bytes())).collect();
    assert_eq!(places.len(), 3, "one in every line");
    for (line, place) in (1..).zip(places) {
        let mut altered = good.clone();
        altered.splice(place..place + 3, [0xff]);
        assert_eq!(String::from_utf8_lossy(&altered).as_bytes(), good, "only the bytes differ");
        let fault = examine(&mut altered.as_slice(), None).unwrap_err().to_string();
        assert_eq!(fault, format!("bad: line {line} was altered: its hash does not fit"));
    }
}

/// Another program may have re-encoded or compressed the file.
#[test]
fn a_file_in_another_encoding_is_not_called_altered() {
    let file: Vec<u8> = trail(2).join("\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let fault = examine(&mut [&[0xff, 0xfe], file.as_slice()].concat().as_slice(), None).unwrap_err();
    assert_eq!(fault.to_string(), "bad: line 1 is not a line of an audit trail");
}

#[test]
fn a_cut_line_is_found_and_a_cut_tail_by_the_head() {
    let lines = trail(4);
    let head = ask(&lines, None).unwrap().head;
    let text = lines.join("\n");
    let cut = examine(&mut &text.as_bytes()[..text.len() - 10], None).unwrap_err();
    assert_eq!(cut.to_string(), "bad: line 4 is cut: the file ends inside it");
    let short = ask(&lines[..3], Some(&head)).unwrap_err();
    assert!(short.starts_with("bad: the chain holds, and its last line, number 3,"), "{short}");
    assert!(short.contains(&head) && ask(&lines[..3], None).is_ok());
    // A missing final line break is no truncation.
    assert!(examine(&mut text.as_bytes(), Some(&head)).is_ok());
}

#[test]
fn other_formats_are_named() {
    for (text, what) in [("sequence,at,actor\r\n", "CSV"), ("{\"data\":[],\"next_cursor\":null}", "JSON")] {
        let fault = examine(&mut text.as_bytes(), None).unwrap_err().to_string();
        assert!(fault.contains(what) && fault.contains("format=ndjson"), "{fault}");
    }
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let mut endless = BufReader::new(io::repeat(b'x'));
    assert!(matches!(examine(&mut endless, None), Err(Fault::Long(1))));
}
