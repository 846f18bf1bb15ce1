//! Fuzz tests of workspace export files.

use crate::{
    bounds::within,
    good::{config, damaged, keyring, locator},
};
use ownchat_domain::transfer::{ExportHeader, ExportLine, FORMAT, LineHash, Reader};
use proptest::prelude::*;

fn export() -> Vec<String> {
    let header = ExportHeader {
        format: FORMAT,
        workspace: 7,
        last_key: 1,
        name: "Shop".into(),
        version: 1,
        suspended: false,
        outage_seconds: 0,
    };
    let key = format!(
        "{{\"key\":{{\"number\":1,\"locator\":\"{}\",\"environment\":\"live\",\"name\":\"Shop\",\"description\":\"\",\
         \"integration\":\"\",\"scopes\":[\"contacts:read\"],\"not_before\":null,\"expires_at\":null,\
         \"restrictions\":{{\"allow\":[],\"deny\":[],\"channels\":[]}},\"limits\":{{\"rate\":null,\"quota\":null}},\
         \"metadata\":{{}},\"active\":true,\"reason\":null,\"created_at\":\"2026-11-23T16:46:48Z\",\
         \"created_by\":\"Ada\",\"owner\":null,\"updated_at\":\"2026-11-23T16:46:48Z\",\"version\":1,\"deleted_at\":null,\
         \"secrets\":[{{\"number\":1,\"master\":2,\"digest\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\",\
         \"created_at\":\"2026-11-23T16:46:48Z\",\"ends_at\":null}}]}}}}",
        locator()
    );
    summed(vec![ExportLine::Export(header).write(), key])
}

/// Appends a valid last line to the other lines of a file.
fn summed(mut lines: Vec<String>) -> Vec<String> {
    let mut hash = LineHash::default();
    for line in &lines {
        hash.add(line);
    }
    lines.push(ExportLine::End(hash.trailer()).write());
    lines
}

/// All lines of a valid file but the last.
fn begin() -> Vec<u8> {
    export()[..2].join("\n").into_bytes()
}

/// The same with one space where JSON permits it.
fn spaced() -> impl Strategy<Value = Vec<u8>> {
    let places: Vec<usize> =
        begin().windows(2).enumerate().filter(|(_, two)| two == b",\"").map(|(at, _)| at + 1).collect();
    proptest::sample::select(places).prop_map(|place| {
        let mut bytes = begin();
        bytes.insert(place, b' ');
        bytes
    })
}

fn taken_in(lines: &[String]) -> bool {
    let ring = keyring();
    let mut reader = Reader::new(&ring, 7);
    lines.iter().all(|line| reader.take(line).is_ok()) && reader.finish().is_ok()
}

#[test]
fn a_good_one_is_taken_in() {
    assert!(taken_in(&export()));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn files_to_be_read_in(place in 0..3usize, bytes in damaged(export().join("\n").into_bytes()), text in ".{0,200}") {
        let text_of = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<String> = text_of.lines().map(str::to_owned).collect();
        let is_taken_in = within(&bytes, || taken_in(&lines));
        prop_assert_eq!(is_taken_in, lines == export(), "nothing but the file itself is taken in");
        let mut other = export();
        other[place] = text;
        prop_assert!(!within(other.concat(), || taken_in(&other)));
    }

    #[test]
    fn files_that_were_written_by_somebody_else(bytes in prop_oneof![damaged(begin()), spaced()]) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = summed(text.lines().map(str::to_owned).collect());
        if within(&bytes, || taken_in(&lines)) {
            let read = lines.iter().map(|line| serde_json::from_str::<ExportLine>(line).unwrap().write());
            prop_assert_eq!(read.collect::<Vec<_>>(), lines, "one state, one file");
        }
    }
}
