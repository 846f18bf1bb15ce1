//! Fuzz tests of audit trail entries with valid hashes, which the author of a file can compute,
//! too.

use crate::{
    bounds::within,
    drafts::any_json,
    good::{config, locator, some},
};
use ownchat_domain::{
    account::PersonId,
    audit::{Action, ActorId, BEGINNING, Chain, Flaw, Line, csv, seal},
    time::Timestamp,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// Damage to an entry before it is hashed.
#[derive(Clone, Debug)]
struct Damage {
    /// Offset added to its sequence number.
    jump: u64,
    /// Wrong hash of the previous entry.
    previous: Option<String>,
    /// Position and text that replace one character.
    write: Option<(prop::sample::Index, String)>,
}

/// Appends the valid hash to an entry with any content.
fn hashed(body: &str) -> String {
    let hash = Sha256::digest(body).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("{},\"hash\":\"{hash}\"}}", body.strip_suffix('}').unwrap_or(body))
}

/// An arbitrary entry, as the first of a trail.
fn any_line() -> impl Strategy<Value = Line> {
    let actor = option::of(prop_oneof![
        any::<u64>().prop_map(|id| ActorId::Person(PersonId(id))),
        Just(ActorId::Key(locator())),
    ]);
    // The years 1 to 9999.
    let at = (-62_135_596_800_000..253_402_300_800_000i64).prop_map(Timestamp::from_millis);
    let state =
        || option::of(any_json()).prop_map(|json| json.and_then(|json| RawValue::from_string(json.to_string()).ok()));
    let words = (".{0,20}", option::of(".{0,80}"), ".{0,20}", ".{0,20}");
    (at, actor, select(Action::ALL.to_vec()), option::of(Just(locator())), words, state(), state()).prop_map(
        |(at, actor, action, key, (actor_name, reason, address, request_id), before, after)| Line {
            sequence: 1,
            at: at.into(),
            actor,
            actor_name,
            action,
            key,
            reason,
            before,
            after,
            address,
            request_id,
            previous: BEGINNING.into(),
        },
    )
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let jump = prop_oneof![8 => Just(0), 1 => 1..3u64, 1 => any::<u64>()];
    let previous = prop_oneof![8 => Just(None), 1 => "[0-9a-f]{64}".prop_map(Some), 1 => ".{0,70}".prop_map(Some)];
    let write = option::weighted(0.3, (any::<prop::sample::Index>(), "[\"{}\\[\\],:0-9a-z]?"));
    (jump, previous, write).prop_map(|(jump, previous, write)| Damage { jump, previous, write })
}

/// Serialises an entry at its position. Returns the expected result for its number and previous
/// hash.
fn written(line: &Line, damage: &Damage, count: u64, head: &str) -> (String, Result<(), Flaw>) {
    let sequence = (count + 1).wrapping_add(damage.jump);
    let previous = damage.previous.clone().unwrap_or_else(|| head.to_owned());
    let said = if sequence != count + 1 {
        Err(Flaw::Misplaced { line: count + 1, found: sequence })
    } else if previous != head {
        Err(Flaw::Broken(count + 1))
    } else {
        Ok(())
    };
    (serde_json::to_string(&Line { sequence, previous, ..line.clone() }).unwrap(), said)
}

#[test]
fn good_lines_and_others_are_tried() {
    let said: Vec<_> = some(&(any_line(), any_damage()))
        .into_iter()
        .map(|(line, damage)| {
            Chain::default().take(&hashed(&damaged(&written(&line, &damage, 0, BEGINNING).0, &damage)))
        })
        .collect();
    let count = |is_it: fn(&Flaw) -> bool| {
        said.iter().filter_map(|said| said.as_ref().err()).filter(|flaw| is_it(flaw)).count()
    };
    assert!(said.iter().filter(|said| said.is_ok()).count() > 60);
    assert!(count(|flaw| matches!(flaw, Flaw::Unreadable(_))) > 10);
    assert!(count(|flaw| matches!(flaw, Flaw::Misplaced { .. })) > 10);
    assert!(count(|flaw| matches!(flaw, Flaw::Broken(_))) > 10);
}

fn damaged(body: &str, damage: &Damage) -> String {
    let mut characters: Vec<String> = body.chars().map(String::from).collect();
    if let Some((place, other)) = &damage.write {
        place.get_mut(&mut characters).clone_from(other);
    }
    characters.concat()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn trails(lines in vec((any_line(), any_damage()), 1..6)) {
        let mut chain = Chain::default();
        for (line, damage) in lines {
            let (count, head) = (chain.count(), chain.head().to_owned());
            let (body, expected) = written(&line, &damage, count, &head);
            let text = hashed(&damaged(&body, &damage));
            let said = within(&text, || chain.take(&text));
            if damage.write.is_none() {
                prop_assert_eq!(said.as_ref().map(drop).map_err(Clone::clone), expected);
            }
            if let Ok(read) = said {
                prop_assert_eq!((chain.count(), text.contains(chain.head())), (count + 1, true));
                prop_assert!(damage.write.is_some() || seal(&read).0 == text);
            } else {
                prop_assert_eq!((chain.count(), chain.head()), (count, head.as_str()));
            }
            let _ = within(&text, || csv(&[&text]));
        }
    }

    #[test]
    fn texts_that_are_no_lines(text in prop_oneof![".{0,300}", "\\{\"sequence\":[0-9]{1,30},.{0,100},\"hash\":\"[0-9a-f]{64}\"\\}"]) {
        let mut chain = Chain::default();
        for text in [&text, &hashed(&text)] {
            prop_assert!(within(text, || chain.take(text)).is_err());
            prop_assert_eq!((chain.count(), chain.head()), (0, BEGINNING));
        }
    }
}
