//! Floods of keys of which nothing is known.

use super::*;

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
    gate.answered(&known, false, from, NOW);
    assert!(gate.is_crowded(&unknown, from, NOW));
    gate.answered(&unknown, true, from, NOW);
    assert!(!gate.is_crowded(&unknown, from, NOW));
}
