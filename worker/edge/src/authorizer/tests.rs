//! What decides, and what must be asked first.

mod fetching;
mod limits;

use super::*;
use crate::testing::{NOW, gate, record, token};
use ownchat_domain::{
    feed::{Entry, FRESH_FOR},
    policy::Call,
    scope::ScopeSet,
    time::HOUR,
    verdict::Code,
};

const ANY: Wanted<'static> =
    Wanted { call: Call { required: ScopeSet::EMPTY, channel: None, address: None }, cost: 1, caller: None };

fn presented(gate: &Gate) -> Presented {
    gate.read(&token(gate).reveal()).unwrap()
}

fn copy(record: Record, asked_at: Timestamp) -> Memo {
    Memo::new(Some(record.into()), asked_at)
}

/// The feed says this, and was asked just now.
fn hear(gate: &Gate, entries: Vec<Entry>, now: Timestamp) {
    let from = gate.ask_feed(7, now);
    let page = Page { incarnation: 1, born: NOW, position: from.position + entries.len() as u64, more: false, entries };
    gate.hear(7, page, from, now);
}

fn verdict(step: Step) -> Result<(), Code> {
    match step {
        Step::Done(checked) => checked.verdict.map_err(|denial| denial.code()),
        other => unreachable!("{other:?}"),
    }
}

/// What is to be done.
fn chores(gate: &Gate) -> Vec<Chore> {
    gate.chores().into_iter().map(|(_, chore)| chore).collect()
}

#[test]
fn made_up_keys_are_refused_before_any_store() {
    let gate = gate();
    let good = token(&gate).reveal().to_string();
    let other = Gate::new(Keyring::parse("1:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").unwrap());
    assert_eq!(other.read(&good).map(|_| ()), Err(Denial::Forged));
    assert!(matches!(gate.read(&good[..54]), Err(Denial::Malformed(_))));
    assert_eq!(gate.read("").map(|_| ()), Err(Denial::Missing));
}

#[test]
fn nothing_decides_before_the_feed_was_read() {
    let gate = gate();
    let key = presented(&gate);
    gate.learn(&key, copy(record(), NOW));
    assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::ReadFeed));
    hear(&gate, vec![], NOW);
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW)), Ok(()));
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW.plus(FRESH_FOR - 1))), Ok(()));
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(FRESH_FOR)), Step::ReadFeed));
    hear(&gate, vec![], NOW.plus(60_000));
    assert_eq!(
        verdict(gate.step(&key, &ANY, false, NOW.plus(60_000))),
        Ok(()),
        "what is remembered stays good for long"
    );
}

#[test]
fn what_the_feed_forbids_decides_nothing_and_a_copy_of_it_neither() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::Find));
    gate.learn(&key, copy(record(), NOW));
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW)), Ok(()));
    hear(&gate, vec![Entry { subject: Subject::Key(key.locator), version: 4 }], NOW.plus(1));
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(1)), Step::Find), "it is forgotten");
    // KV still has the old one.
    gate.learn(&key, copy(record(), NOW.plus(2)));
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(2)), Step::AskVault));
    let truth = Memo { is_truth: true, ..copy(Record { version: 4, active: false, ..record() }, NOW.plus(3)) };
    gate.learn(&key, truth);
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW.plus(3))), Err(Code::Inactive));
}

#[test]
fn a_change_of_the_workspace_makes_every_copy_too_old() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    hear(&gate, vec![Entry { subject: Subject::Workspace(7), version: 2 }], NOW);
    gate.learn(&key, copy(record(), NOW));
    assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::AskVault));
}

#[test]
fn what_the_vault_said_decides_for_a_moment_without_the_feed() {
    let gate = gate();
    let key = presented(&gate);
    gate.learn(&key, Memo { is_truth: true, ..copy(record(), NOW) });
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW.plus(FRESH_FOR - 1))), Ok(()));
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(FRESH_FOR)), Step::ReadFeed));
}

#[test]
fn without_feed_and_vault_the_workspace_has_chosen() {
    let (gate, later) = (gate(), NOW.plus(30_000));
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(record(), NOW));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, later)), Err(Code::Unavailable), "the default is to refuse");
    let mut patient = record();
    patient.workspace.outage_seconds = 60;
    gate.learn(&key, copy(patient, NOW.plus(1)));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, later)), Ok(()));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, NOW.plus(59_999))), Ok(()));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, NOW.plus(60_000))), Err(Code::Unavailable));
    let fresh = self::gate();
    assert_eq!(verdict(fresh.without_vault(&key, &ANY, NOW)), Err(Code::Unavailable), "nothing is remembered");
    let mut told = record();
    told.workspace.outage_seconds = 60;
    fresh.learn(&key, copy(told.clone(), NOW));
    assert_eq!(verdict(fresh.without_vault(&key, &ANY, later)), Err(Code::Unavailable), "a copy says nothing of now");
    fresh.learn(&key, Memo { is_truth: true, ..copy(told, NOW) });
    assert_eq!(verdict(fresh.without_vault(&key, &ANY, NOW.plus(59_999))), Ok(()), "the vault said so itself");
    assert_eq!(verdict(fresh.without_vault(&key, &ANY, NOW.plus(60_000))), Err(Code::Unavailable));
}

#[test]
fn what_the_feed_forbids_is_not_forgiven_either() {
    let gate = gate();
    let key = presented(&gate);
    let mut patient = record();
    patient.workspace.outage_seconds = 60;
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(patient.clone(), NOW));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, NOW)), Ok(()));
    hear(&gate, vec![Entry { subject: Subject::Key(key.locator), version: 4 }], NOW.plus(1));
    // KV still has the old one, or somebody has put it back.
    gate.learn(&key, copy(patient, NOW.plus(2)));
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(2)), Step::AskVault));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, NOW.plus(2))), Err(Code::Unavailable));
    assert_eq!(verdict(gate.without_vault(&key, &ANY, NOW.plus(30_000))), Err(Code::Unavailable));
}

#[test]
fn a_wrong_secret_gets_nothing_of_the_record_and_asks_three_times_a_second() {
    let gate = gate();
    let key = guessed(&gate);
    hear(&gate, vec![], NOW);
    let truth = Memo { is_truth: true, ..copy(record(), NOW) };
    gate.learn(&key, truth.clone());
    assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::AskForSecret), "the key may have been rotated since");
    assert_eq!(verdict(gate.step(&key, &ANY, true, NOW)), Err(Code::UnknownKey), "once is enough for one call");
    assert_eq!(verdict(gate.step_alone(&key, &ANY, NOW)), Err(Code::Unavailable), "nobody knows that it is wrong");
    for _ in 0..3 {
        assert!(matches!(gate.step(&key, &ANY, false, NOW), Step::AskForSecret), "it may be rotated again");
        gate.learn(&key, Memo { for_secret: 1, ..truth.clone() });
    }
    let Step::Done(checked) = gate.step(&key, &ANY, false, NOW.plus(999)) else { unreachable!() };
    assert_eq!(checked.verdict, Err(Denial::Unknown));
    assert!(checked.record.is_none());
    assert_eq!(
        verdict(gate.step_alone(&key, &ANY, NOW.plus(999))),
        Err(Code::UnknownKey),
        "the vault has just said so"
    );
    assert!(matches!(gate.step(&key, &ANY, false, NOW.plus(1_000)), Step::AskForSecret));
}

#[test]
fn a_secret_that_a_copy_does_not_know_is_asked_for_before_it_is_refused() {
    let gate = gate();
    let key = guessed(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(record(), NOW));
    assert!(matches!(gate.step(&key, &ANY, true, NOW), Step::AskForSecret), "the copy may be older than the secret");
    let mut patient = record();
    patient.workspace.outage_seconds = 60;
    gate.learn(&key, Memo { is_truth: true, ..copy(patient, NOW.plus(1)) });
    let later = NOW.plus(30_000);
    assert_eq!(verdict(gate.step_alone(&key, &ANY, later)), Err(Code::Unavailable), "nor does an outage make it wrong");
    gate.learn(&key, copy(Record { deleted: true, ..record() }, later));
    hear(&gate, vec![], later);
    assert_eq!(verdict(gate.step_alone(&key, &ANY, later)), Err(Code::UnknownKey), "it is deleted");
}

#[test]
fn a_wrong_secret_of_a_deleted_key_asks_nobody() {
    let gate = gate();
    let key = guessed(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(Record { deleted: true, ..record() }, NOW));
    assert_eq!(verdict(gate.step(&key, &ANY, false, NOW)), Err(Code::UnknownKey));
}

/// A key of ours with a secret that is not its own.
fn guessed(gate: &Gate) -> Presented {
    let mut wrong = token(gate);
    wrong.secret = "NMLKJIHGFEDCBA9876543210".parse().unwrap();
    gate.read(&wrong.reveal()).unwrap()
}

#[test]
fn a_copy_that_the_feed_forbids_is_looked_for_again_once_in_ten_seconds() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![Entry { subject: Subject::Key(key.locator), version: 4 }], NOW);
    gate.learn(&key, copy(record(), NOW));
    let step = |seconds: i64| {
        let now = NOW.plus(seconds * SECOND);
        hear(&gate, vec![], now);
        gate.step(&key, &ANY, false, now)
    };
    assert!(matches!(step(9), Step::AskVault));
    assert!(matches!(step(10), Step::Find), "there may be a newer one");
    // KV has none, or does not answer, and the vault does not, either.
    gate.ask(&key, true, None, NOW.plus(10 * SECOND));
    assert!(matches!(step(19), Step::AskVault));
    assert!(matches!(step(20), Step::Find));
    gate.learn(&key, copy(record(), NOW.plus(20 * SECOND)));
    assert!(matches!(step(29), Step::AskVault), "it is still the old one");
    gate.learn(&key, copy(Record { version: 4, ..record() }, NOW.plus(30 * SECOND)));
    assert_eq!(verdict(step(30)), Ok(()));
}

#[test]
fn what_was_checked_is_counted_and_sent_by_one() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(record(), NOW));
    assert!(!gate.has_chores());
    for wanted in [ANY, Wanted { call: Call { required: ScopeSet::full(), ..ANY.call }, ..ANY }] {
        let Step::Done(checked) = gate.step(&key, &wanted, false, NOW) else { unreachable!() };
        gate.count(&checked, &wanted, NOW);
    }
    gate.count(&Checked::refused(Denial::Unknown), &ANY, NOW);
    let chores = chores(&gate);
    assert!(matches!(chores[..], [Chore::SendCounts]), "{chores:?}");
    gate.close_counts(9, NOW);
    let batch = gate.next_batch(7, NOW).unwrap();
    let outcomes: Vec<_> = batch.counts.iter().map(|(cell, count)| (cell.outcome, *count)).collect();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.contains(&(Code::Valid.number(), 1)) && outcomes.contains(&(Code::ScopeMissing.number(), 1)));
    assert_eq!(batch.last_uses.len(), 1, "a refused call is no use");
}

#[test]
fn a_call_that_nobody_can_decide_is_counted_if_its_key_is_remembered() {
    let gate = gate();
    let key = presented(&gate);
    let counted = |key: &Presented| {
        let Step::Done(checked) = gate.step_alone(key, &ANY, NOW) else { unreachable!() };
        assert_eq!(checked.verdict, Err(Denial::Unavailable));
        checked.record.map(|record| record.version)
    };
    assert_eq!(counted(&key), None, "nobody knows whose it is");
    gate.learn(&key, copy(record(), NOW));
    assert_eq!((counted(&key), counted(&guessed(&gate))), (Some(3), None));
    gate.learn(&key, copy(Record { deleted: true, ..record() }, NOW));
    assert_eq!(counted(&key), None, "what is deleted is nobody's business");
    let undecided = Gate::undecided(Some(record().into()));
    gate.count(&undecided, &ANY, NOW);
    gate.close_counts(9, NOW);
    let batch = gate.next_batch(7, NOW).unwrap();
    assert_eq!((batch.counts[0].0.outcome, batch.last_uses.len()), (Code::Unavailable.number(), 0));
}

#[test]
fn the_feed_is_read_after_an_answer_once_a_second_and_by_one() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(record(), NOW));
    let later = NOW.plus(1_000);
    let feeds = |now| {
        let Step::Done(checked) = gate.step(&key, &ANY, false, now) else { unreachable!() };
        gate.count(&checked, &ANY, now);
        chores(&gate).iter().filter(|chore| matches!(chore, Chore::ReadFeed(7))).count()
    };
    assert_eq!((feeds(NOW.plus(999)), feeds(later), feeds(later)), (0, 1, 0));
}

#[test]
fn a_younger_record_of_a_key_that_is_used_is_fetched_in_time_and_one_a_second() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(record(), NOW));
    let renewed = |key: &Presented, now| {
        hear(&gate, vec![], now);
        let Step::Done(checked) = gate.step(key, &ANY, true, now) else { unreachable!() };
        gate.count(&checked, &ANY, now);
        let is_it = |chore: &Chore| matches!(chore, Chore::Renew(other) if other.locator == key.locator);
        chores(&gate).iter().filter(|chore| is_it(chore)).count()
    };
    let half = NOW.plus(12 * HOUR);
    assert_eq!((renewed(&key, half.plus(-1)), renewed(&key, half)), (0, 1));
    assert_eq!((renewed(&key, half.plus(999)), renewed(&key, half.plus(1_000))), (0, 1), "one a second");
    gate.learn(&key, copy(Record { sealed_at: half, ..record() }, half));
    assert_eq!(renewed(&key, half.plus(2_000)), 0, "it was fetched");
}

#[test]
fn a_refused_key_is_still_described_to_its_holder() {
    let gate = gate();
    let key = presented(&gate);
    hear(&gate, vec![], NOW);
    gate.learn(&key, copy(Record { active: false, ..record() }, NOW));
    let Step::Done(checked) = gate.step(&key, &ANY, false, NOW) else { unreachable!() };
    assert_eq!(checked.verdict, Err(Denial::Inactive));
    assert_eq!(checked.record.map(|record| record.version), Some(3));
}

#[test]
fn a_key_that_opened_a_record_opens_no_other_and_opens_it_for_no_other_key() {
    let gate = gate();
    let good = token(&gate).reveal();
    let opened = |gate: &Gate| gate.memory.borrow().opened(record().locator).is_some();
    hear(&gate, vec![], NOW);
    gate.learn(&presented(&gate), copy(record(), NOW));
    assert!(!opened(&gate));
    for _ in 0..2 {
        assert_eq!(verdict(gate.step(&gate.read(&good).unwrap(), &ANY, false, NOW)), Ok(()));
        assert!(opened(&gate), "it need not be worked out again");
    }
    // The same locator with another secret, and the same key in another environment.
    let wrong = guessed(&gate);
    assert!(matches!(gate.step(&wrong, &ANY, true, NOW), Step::AskForSecret));
    assert!(gate.read(&good.replacen("oc_live_", "oc_test_", 1)).is_err());
    assert!(gate.read(&good[..54]).is_err());
    // A record whose secrets are others.
    let mut rotated = record();
    rotated.secrets[0].digest = ownchat_domain::digest::KeyDigest::from_bytes([9; 32]);
    gate.learn(&presented(&gate), copy(rotated, NOW.plus(1)));
    assert!(matches!(gate.step(&gate.read(&good).unwrap(), &ANY, true, NOW.plus(1)), Step::AskForSecret));
}
