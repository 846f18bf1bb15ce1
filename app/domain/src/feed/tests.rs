//! Tests of the feed view: floors, freshness, order of pages, and encoding.

use super::*;
use crate::testing::hex;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

fn locator(number: u32) -> Locator {
    format!("{number:016}").parse().unwrap()
}

fn page(position: u64, entries: &[(Affected, u64)]) -> Page {
    let entries = entries.iter().map(|(subject, version)| Entry { subject: *subject, version: *version }).collect();
    Page { incarnation: 7, born: Timestamp::from_millis(1), position, more: false, entries }
}

/// Workers of the previous and the next version read pages, so the bytes are pinned.
#[test]
fn known_answer() {
    let bytes = encode(&page(300, &[(Affected::Key(locator(5)), 2), (Affected::Workspace(9), 3)])).unwrap();
    assert_eq!(hex(&bytes), "010702ac020002001030303030303030303030303030303035020109 03".replace(' ', ""));
    assert_eq!(decode(&bytes).unwrap().position, 300);
    let bytes = encode(&page(300, &[(Affected::Sealed(9), 300)])).unwrap();
    assert_eq!(hex(&bytes), "010702ac0200010209ac02");
}

/// Returns true if a record of these versions, sealed just now, may decide.
fn allows(follower: &FeedReader, locator: Locator, version: u64, workspace: u32, settings: u64) -> bool {
    let mut record = Record { locator, version, sealed_at: NOW, ..crate::testing::record() };
    (record.workspace.number, record.workspace.version) = (workspace, settings);
    follower.allows(&record)
}

#[test]
fn a_record_sealed_before_the_feed_was_made_decides_nothing() {
    let mut follower = FeedReader::default();
    assert!(allows(&follower, locator(1), 1, 4, 1));
    follower.learn(Page { born: NOW.plus(1), ..page(1, &[]) }, follower.position(), NOW);
    assert!(!allows(&follower, locator(1), 9, 4, 9), "it was sealed before the feed was made");
    follower.learn(Page { incarnation: 8, born: NOW, ..page(1, &[]) }, follower.position(), NOW);
    assert!(allows(&follower, locator(1), 1, 4, 1));
}

#[test]
fn an_invalidated_version_stays_invalid() {
    let mut follower = FeedReader::default();
    let key = Affected::Key(locator(1));
    assert!(allows(&follower, locator(1), 1, 4, 1));
    assert_eq!(
        follower.learn(page(1, &[(key, 3)]), follower.position(), NOW),
        None,
        "the first read is about everybody"
    );
    assert!(!allows(&follower, locator(1), 2, 4, 1) && allows(&follower, locator(1), 3, 4, 1));
    let told = follower.learn(page(2, &[(Affected::Workspace(4), 2)]), follower.position(), NOW);
    assert_eq!(told, Some(vec![Affected::Workspace(4)]));
    assert!(!allows(&follower, locator(1), 3, 4, 1) && allows(&follower, locator(1), 3, 4, 2));
    assert!(allows(&follower, locator(1), 3, 5, 1), "another workspace");
}

#[test]
fn records_sealed_before_a_given_time_decide_no_more() {
    let mut follower = FeedReader::default();
    let moment = u64::try_from(NOW.millis()).unwrap();
    follower.learn(page(1, &[]), follower.position(), NOW);
    let told = follower.learn(page(2, &[(Affected::Sealed(4), moment)]), follower.position(), NOW);
    assert_eq!(told, Some(vec![Affected::Sealed(4)]));
    assert!(allows(&follower, locator(1), 1, 4, 1), "sealed at that very moment");
    follower.learn(page(3, &[(Affected::Sealed(4), moment + 1)]), follower.position(), NOW);
    follower.learn(page(4, &[(Affected::Sealed(4), moment)]), follower.position(), NOW);
    assert!(!allows(&follower, locator(1), 99, 4, 99), "of whatever version");
    assert!(allows(&follower, locator(1), 1, 5, 1), "another workspace");
    follower.learn(page(4, &[]), follower.position(), NOW.plus(KEPT_FOR));
    assert!(follower.sealed.is_empty());
}

#[test]
fn it_is_fresh_for_five_seconds_from_the_question() {
    let mut follower = FeedReader::default();
    assert!(!follower.is_fresh(NOW));
    follower.learn(page(0, &[]), follower.position(), NOW);
    assert!(follower.is_fresh(NOW.plus(FRESH_FOR - 1)) && !follower.is_fresh(NOW.plus(FRESH_FOR)));
    assert!(!follower.is_fresh(NOW.plus(-1)), "the clock was set back");
}

#[test]
fn part_of_the_news_makes_nothing_fresh() {
    let mut follower = FeedReader::default();
    follower.learn(Page { more: true, ..page(5_000, &[]) }, follower.position(), NOW);
    assert!(!follower.is_fresh(NOW));
    assert_eq!(follower.position(), Position { incarnation: 7, position: 5_000 });
}

#[test]
fn an_answer_that_was_overtaken_undoes_nothing() {
    let mut follower = FeedReader::default();
    let start = follower.position();
    follower.learn(page(9, &[(Affected::Key(locator(1)), 5)]), start, NOW.plus(10));
    follower.learn(page(4, &[(Affected::Key(locator(1)), 2)]), start, NOW);
    assert_eq!(follower.position().position, 9);
    assert!(!allows(&follower, locator(1), 4, 1, 1));
    assert_eq!(follower.age(NOW.plus(10)), Some(10));
}

#[test]
fn a_feed_that_was_made_anew_is_read_from_its_start() {
    let mut follower = FeedReader::default();
    follower.learn(page(900, &[]), follower.position(), NOW);
    let anew = Page { incarnation: 8, ..page(1, &[(Affected::Key(locator(1)), 2)]) };
    assert_eq!(follower.learn(anew, follower.position(), NOW), None, "everybody must be looked at again");
    assert_eq!(follower.position(), Position { incarnation: 8, position: 1 });
}

#[test]
fn floors_are_forgotten_when_no_record_can_be_below_them() {
    let mut follower = FeedReader::default();
    follower.learn(page(1, &[(Affected::Key(locator(1)), 2)]), follower.position(), NOW);
    follower.learn(page(1, &[]), follower.position(), NOW.plus(KEPT_FOR - 1));
    assert!(!allows(&follower, locator(1), 1, 1, 1));
    follower.learn(page(1, &[]), follower.position(), NOW.plus(KEPT_FOR));
    assert!(follower.floors.is_empty());
    const { assert!(KEPT_FOR > crate::record::LIFETIME) };
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn an_encoded_page_decodes_to_itself(position: u64, more: bool, versions in proptest::collection::vec((0u32..99, any::<u64>()), 0..20)) {
        let entries = versions.iter().map(|(number, version)| Entry { subject: Affected::Key(locator(*number)), version: *version });
        let page = Page { incarnation: 1, born: NOW, position, more, entries: entries.collect() };
        prop_assert_eq!(decode(&encode(&page).unwrap()), Ok(page));
    }
}
