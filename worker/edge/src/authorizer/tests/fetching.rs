//! Floods of keys of which nothing is known, and many calls that lack the same.

use super::*;

/// What a call does that came at `NOW` and lacks something of its key.
fn turn(gate: &Gate, key: &Presented, after: i64) -> Turn {
    gate.turn(key, None, true, NOW, NOW.plus(after))
}

#[test]
fn many_who_lack_the_same_record_wait_for_one_question_and_none_of_them_asks_when_it_never_ends() {
    let gate = gate();
    let key = presented(&gate);
    assert!(matches!(turn(&gate, &key, 0), Turn::Ask));
    gate.ask(&key, true, None, NOW);
    for after in [0, 1_999, 2_000, 3_999, 4_499] {
        assert!(matches!(turn(&gate, &key, after), Turn::Look(wait) if (5..200).contains(&wait)), "after {after} ms");
    }
    // That one is lost, and another of them asks.
    let lost = NOW.plus(4_500);
    assert!(matches!(turn(&gate, &key, 4_500), Turn::Ask));
    gate.ask(&key, true, None, lost);
    assert!(matches!(turn(&gate, &key, 4_500), Turn::GoAlone), "the others have waited for long enough");
    assert!(matches!(gate.turn(&key, None, true, lost, lost), Turn::Look(5)), "who comes now waits");
    gate.answered(&key, true, None, lost, None);
    assert!(matches!(turn(&gate, &key, 5_499), Turn::Ask));
    assert!(matches!(turn(&gate, &key, 5_500), Turn::GoAlone), "the answer would come too late");
}

#[test]
fn a_feed_that_somebody_reads_is_waited_for() {
    let gate = gate();
    let key = presented(&gate);
    let turn = |after| gate.turn(&key, None, false, NOW, NOW.plus(after));
    assert!(matches!(turn(0), Turn::Ask));
    gate.ask_feed(7, NOW);
    assert!(matches!(turn(0), Turn::Look(5)));
    gate.ask_feed(7, NOW.plus(4_500));
    assert!(matches!(turn(4_500), Turn::GoAlone));
}

#[test]
fn an_address_that_is_held_asks_nothing_however_long_it_waited() {
    let gate = gate();
    let key = presented(&gate);
    let late = NOW.plus(4_000);
    gate.ask(&key, true, "192.0.2.1".parse().ok(), NOW);
    for _ in 0..100 {
        gate.was_asked(&key, None, late);
    }
    for after in [4_000, 4_400] {
        assert!(matches!(turn(&gate, &key, after), Turn::Refuse(_)), "after {after} ms");
    }
    gate.learn(&key, copy(record(), NOW));
    assert!(matches!(turn(&gate, &key, 4_000), Turn::Look(_)), "of its key something is known");
}

#[test]
fn who_waits_in_a_crowd_is_refused_at_last() {
    let gate = gate();
    let (key, other) =
        (presented(&gate), Presented { locator: "0000000000000001".parse().unwrap(), ..presented(&gate) });
    for _ in 0..200 {
        gate.ask(&other, true, None, NOW);
    }
    assert!(matches!(turn(&gate, &key, 0), Turn::Look(20)) && matches!(turn(&gate, &key, 4_499), Turn::Look(_)));
    assert!(matches!(turn(&gate, &key, 4_500), Turn::Refuse(SECOND)));
}

#[test]
fn guessing_costs_one_question_a_second_while_the_vault_fails() {
    let gate = gate();
    let (key, wrong) = (presented(&gate), guessed(&gate));
    gate.learn(&key, Memo { is_truth: true, ..copy(record(), NOW) });
    let fail = |at: Timestamp| {
        let is_new = gate.ask(&wrong, false, None, at);
        gate.answered(&wrong, is_new, None, at, Some(at));
    };
    fail(NOW);
    for after in [0, 999] {
        assert!(matches!(turn(&gate, &wrong, after), Turn::GoAlone), "after {after} ms");
        assert!(matches!(turn(&gate, &key, after), Turn::Ask), "whose secret is right is not held up");
    }
    assert!(matches!(turn(&gate, &wrong, 1_000), Turn::Ask));
    // Of a key of which nothing is known nobody can say that its secret is wrong.
    gate.memory.borrow_mut().forget(key.locator);
    fail(NOW);
    assert!(matches!(turn(&gate, &wrong, 0), Turn::Ask));
}

#[test]
fn whoever_guesses_at_a_key_that_exists_is_not_taken_for_a_flood() {
    let from = "192.0.2.1".parse().ok();
    for (known, is_flood) in [
        (Some(record()), false),
        (Some(Record { active: false, ..record() }), false),
        (Some(Record { deleted: true, ..record() }), true),
        (None, true),
    ] {
        let gate = gate();
        let key = guessed(&gate);
        gate.learn(&key, Memo { is_truth: true, ..Memo::new(known.map(Rc::new), NOW) });
        for _ in 0..100 {
            gate.was_asked(&key, from, NOW);
        }
        let other = Presented { locator: "0000000000000001".parse().unwrap(), ..key };
        assert_eq!(gate.flooded(&other, from, NOW).is_some(), is_flood, "another from there");
        // What is remembered is held for nobody.
        gate.learn(&key, copy(record(), NOW));
        assert!(gate.flooded(&key, from, NOW).is_none());
    }
}

#[test]
fn only_so_many_keys_of_which_nothing_is_known_are_asked_for_at_once() {
    let (gate, from) = (gate(), "192.0.2.1".parse().ok());
    let (known, unknown) = (presented(&gate), presented(&gate));
    for _ in 0..199 {
        gate.ask(&unknown, true, from, NOW);
    }
    gate.learn(&known, copy(record(), NOW));
    for _ in 0..199 {
        gate.ask(&known, false, from, NOW);
    }
    gate.learn(&unknown, Memo::new(None, NOW));
    assert!(!gate.is_crowded(&unknown, from, NOW), "those of which something is known do not count");
    gate.ask(&unknown, true, from, NOW);
    assert!(gate.is_crowded(&unknown, from, NOW) && !gate.is_crowded(&unknown, None, NOW));
    gate.answered(&known, false, from, NOW, None);
    assert!(gate.is_crowded(&unknown, from, NOW));
    gate.answered(&unknown, true, from, NOW, None);
    assert!(!gate.is_crowded(&unknown, from, NOW));
}
