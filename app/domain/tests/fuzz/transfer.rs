//! Files with a workspace, to be read in.

use crate::good::{config, damaged, keyring, locator};
use ownchat_domain::transfer::{Entry as Exported, FORMAT, Header, Reader, Sum};
use proptest::prelude::*;

fn export() -> Vec<String> {
    let header = Header {
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
    let mut lines = vec![Exported::Export(header).write(), key];
    let mut sum = Sum::default();
    for line in &lines {
        sum.add(line);
    }
    lines.push(Exported::End(sum.end()).write());
    lines
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
        prop_assert_eq!(taken_in(&lines), lines == export(), "nothing but the file itself is taken in");
        let mut other = export();
        other[place] = text;
        prop_assert!(!taken_in(&other));
    }
}
