//! Tests of the export format and of the rejection of invalid files.

use super::*;
use crate::{
    audit::{Action, BEGINNING, Line, seal},
    keyring::Keyring,
    locator::KeyNumber,
    testing::{keyring, line, scopes},
};

fn key(number: u32) -> KeyFacts {
    let address = KeyNumber { workspace: 7, number };
    KeyFacts {
        number,
        locator: Locator::issue(&keyring(), address, Environment::Live),
        environment: Environment::Live,
        name: "Shop".into(),
        description: String::new(),
        integration: String::new(),
        scopes: scopes(&["contacts:read"]),
        not_before: None,
        expires_at: Some(Timestamp::from_millis(1_795_452_408_250)),
        restrictions: Restrictions::default(),
        limits: Limits::default(),
        metadata: BTreeMap::new(),
        active: true,
        reason: None,
        created_at: Timestamp::from_millis(1_795_452_408_000),
        created_by: "Ada".into(),
        owner: Some(PersonId(0xab)),
        updated_at: Timestamp::from_millis(1_795_452_408_000),
        version: 1,
        deleted_at: None,
        secrets: vec![SecretFacts {
            number: 1,
            master: 2,
            digest: KeyDigest::from_bytes([7; 32]),
            created_at: Timestamp::from_millis(1_795_452_408_000),
            ends_at: None,
        }],
    }
}

fn header() -> ExportHeader {
    ExportHeader {
        format: FORMAT,
        workspace: 7,
        last_key: 3,
        name: "Shop".into(),
        version: 1,
        suspended: false,
        outage_seconds: 0,
    }
}

fn trail() -> [ExportLine; 2] {
    let (first, hash) = seal(&line(1, BEGINNING, "one"));
    let (second, _) = seal(&line(2, &hash, "two"));
    [first, second].map(|text| ExportLine::Line(RawValue::from_string(text).unwrap()))
}

fn entries() -> Vec<ExportLine> {
    let mut entries =
        vec![ExportLine::Export(header()), ExportLine::Key(key(1).into()), ExportLine::Key(key(3).into())];
    entries.extend(trail());
    entries
}

/// Serialises the entries and appends the last line.
fn lines(entries: &[ExportLine]) -> Vec<String> {
    let mut lines: Vec<String> = entries.iter().map(ExportLine::write).collect();
    let mut hash = LineHash::default();
    for line in &lines {
        hash.add(line);
    }
    lines.push(ExportLine::End(hash.trailer()).write());
    lines
}

fn read_with(lines: &[String], keyring: &Keyring, workspace: u32) -> Result<ExportHeader, BadLine> {
    let mut reader = Reader::new(keyring, workspace);
    for line in lines {
        reader.take(line)?;
    }
    reader.finish()
}

fn read(lines: &[String]) -> Result<ExportHeader, BadLine> {
    read_with(lines, &keyring(), 7)
}

/// Pinned bytes: users keep files for years.
#[test]
fn known_answer() {
    let text = lines(&[ExportLine::Export(header()), ExportLine::Key(key(1).into())]).join("\n");
    assert_eq!(
        text,
        "{\"export\":{\"format\":1,\"workspace\":7,\"last_key\":3,\"name\":\"Shop\",\"version\":1,\
         \"suspended\":false,\"outage_seconds\":0}}\n\
         {\"key\":{\"number\":1,\"locator\":\"as8FHY0XIyuzLdLz\",\"environment\":\"live\",\"name\":\"Shop\",\
         \"description\":\"\",\"integration\":\"\",\"scopes\":[\"contacts:read\"],\"not_before\":null,\
         \"expires_at\":\"2026-11-23T16:46:48.25Z\",\"restrictions\":{\"allow\":[],\"deny\":[],\"channels\":[]},\
         \"limits\":{\"rate\":null,\"quota\":null},\"metadata\":{},\"active\":true,\"reason\":null,\
         \"created_at\":\"2026-11-23T16:46:48Z\",\"created_by\":\"Ada\",\"owner\":\"00000000000000ab\",\"updated_at\":\"2026-11-23T16:46:48Z\",\
         \"version\":1,\"deleted_at\":null,\"secrets\":[{\"number\":1,\"master\":2,\
         \"digest\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\",\"created_at\":\"2026-11-23T16:46:48Z\",\
         \"ends_at\":null}]}}\n\
         {\"end\":{\"lines\":2,\"sha256\":\"3d70068dacc16f1bc4e223a629b7af2303c866a0a4d3b618290df9d1d45baf97\"}}"
    );
}

#[test]
fn a_whole_file_is_read() {
    assert_eq!(read(&lines(&entries())), Ok(header()));
    assert_eq!(read(&lines(&[ExportLine::Export(header())])), Ok(header()), "an empty workspace");
}

#[test]
fn the_first_bad_line_is_named() {
    let good = lines(&entries());
    let with = |change: &dyn Fn(&mut Vec<ExportLine>)| {
        let mut entries = entries();
        change(&mut entries);
        read(&lines(&entries)).unwrap_err()
    };
    let changed = |change: &dyn Fn(&mut KeyFacts)| {
        with(&|entries| {
            let mut facts = key(1);
            change(&mut facts);
            entries[1] = ExportLine::Key(facts.into());
        })
    };
    let spaced = {
        let mut lines = good.clone();
        lines[1] = lines[1].replacen(':', ": ", 1);
        read(&lines).unwrap_err()
    };
    let unknown = {
        let mut lines = good.clone();
        lines[1] = lines[1].replacen("{\"number\"", "{\"colour\":1,\"number\"", 1);
        read(&lines).unwrap_err()
    };
    let after_the_end = {
        let mut lines = good.clone();
        lines.push(good[0].clone());
        read(&lines).unwrap_err()
    };
    for (bad, line, words) in [
        (with(&|entries| entries.clear()), 1, "begins with the workspace"),
        (with(&|entries| entries.insert(1, ExportLine::Export(header()))), 2, "stands there once"),
        (with(&|entries| entries[0] = ExportLine::Export(ExportHeader { format: 2, ..header() })), 1, "format 2"),
        (with(&|entries| entries[0] = ExportLine::Export(ExportHeader { workspace: 8, ..header() })), 1, "workspace 8"),
        (with(&|entries| entries[0] = ExportLine::Export(ExportHeader { version: 0, ..header() })), 1, "such settings"),
        (
            with(&|entries| entries[0] = ExportLine::Export(ExportHeader { last_key: 2, ..header() })),
            3,
            "order of their numbers",
        ),
        (with(&|entries| entries.swap(1, 2)), 3, "order of their numbers"),
        (with(&|entries| entries.swap(2, 3)), 4, "cannot stand after"),
        (with(&|entries| entries.swap(3, 4)), 4, "In the audit trail, line 1 has the number 2"),
        (with(&|entries| drop(entries.remove(3))), 4, "In the audit trail, line 1 has the number 2"),
        (changed(&|key| key.environment = Environment::Test), 2, "master secret of this deployment"),
        (changed(&|facts| facts.locator = key(2).locator), 2, "another number"),
        (changed(&|key| key.name = " Shop".into()), 2, "No key can be like this"),
        (changed(&|key| key.scopes = ScopeSet::EMPTY), 2, "No key can be like this. scopes:"),
        (changed(&|key| key.name = "x".repeat(101)), 2, "No key can be like this. name:"),
        (changed(&|key| key.secrets.clear()), 2, "such secrets"),
        (changed(&|key| key.secrets.push(key.secrets[0].clone())), 2, "such secrets"),
        (changed(&|key| key.version = 0), 2, "such a version"),
        (spaced, 2, "not written by an export"),
        (unknown, 2, "no line of an export"),
        (after_the_end, 7, "the last"),
    ] {
        assert!(bad.line == line && bad.message.contains(words), "{bad} for {line}: {words}");
    }
}

#[test]
fn a_trail_that_ends_with_an_export_is_refused() {
    let noted = Line { action: Action::Export, ..line(1, BEGINNING, "x") };
    let entries = [ExportLine::Export(header()), ExportLine::Line(RawValue::from_string(seal(&noted).0).unwrap())];
    assert_eq!(read(&lines(&entries)).unwrap_err().line, 3);
}

/// Storing it would change its bytes and break the hash chain.
#[test]
fn a_line_of_the_trail_that_is_written_differently_is_refused() {
    let (text, hash) = seal(&line(1, BEGINNING, "one"));
    let body = text.replace(&format!(",\"hash\":\"{hash}\""), "").replace("\"one\"", "\"\\u006fne\"");
    let hash = crate::testing::hex(&Sha256::digest(&body));
    let text = format!("{},\"hash\":\"{hash}\"}}", body.strip_suffix('}').unwrap());
    assert!(crate::audit::verify([text.as_str()]).is_ok(), "its hash is right");
    let entries = [ExportLine::Export(header()), ExportLine::Line(RawValue::from_string(text).unwrap())];
    let bad = read(&lines(&entries)).unwrap_err();
    assert!(bad.line == 2 && bad.message.contains("never kept"), "{bad}");
}

#[test]
fn no_cut_and_no_altered_letter_goes_unnoticed() {
    let good = lines(&entries());
    for end in 0..good.len() {
        let bad = read(&good[..end]).unwrap_err();
        assert!(bad.line == end as u64 + 1 && bad.message.contains("cut"), "{bad}");
    }
    for place in 0..good.len() {
        for at in 0..good[place].len() {
            let mut lines = good.clone();
            // All ASCII: every byte is a character.
            let other = if lines[place].as_bytes()[at] == b'1' { "2" } else { "1" };
            lines[place].replace_range(at..=at, other);
            assert!(read(&lines).is_err(), "line {place}, letter {at}");
        }
        let mut lines = good.clone();
        lines.remove(place);
        assert!(read(&lines).is_err(), "without line {place}");
    }
}

#[test]
fn keys_of_other_master_secrets_are_refused() {
    let other = Keyring::parse("2:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=").unwrap();
    let bad = read_with(&lines(&entries()), &other, 7).unwrap_err();
    assert!(bad.line == 2 && bad.message.contains("master secret"), "{bad}");
}

#[test]
fn a_line_that_is_too_long_is_refused_unread() {
    let bad = read(&["x".repeat(LINE_MAX + 1)]).unwrap_err();
    assert!(bad.message.contains("longer than any line"), "{bad}");
}
