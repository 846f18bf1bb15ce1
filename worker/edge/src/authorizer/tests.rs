//! Decisions from the caches, and the fetches that they need first.

mod fetching;
mod limits;

use super::*;
use crate::testing::{NOW, authorizer, record, token};
use ownchat_domain::{
    feed::{Entry, FRESH_FOR},
    policy::Call,
    scope::ScopeSet,
    time::HOUR,
    verdict::Code,
};

const ANY: Requirements<'static> =
    Requirements { call: Call { required: ScopeSet::EMPTY, channel: None, address: None }, cost: 1, client_ip: None };

fn presented(authorizer: &Authorizer) -> PresentedKey {
    authorizer.parse_key(&token(authorizer).reveal()).unwrap()
}

fn copy(record: Record, asked_at: Timestamp) -> CachedKey {
    CachedKey::new(Some(record.into()), asked_at)
}

/// Applies a page of the feed that was read just now.
fn hear(authorizer: &Authorizer, entries: Vec<Entry>, now: Timestamp) {
    let from = authorizer.begin_feed_read(7, now);
    let page = Page { incarnation: 1, born: NOW, position: from.position + entries.len() as u64, more: false, entries };
    authorizer.apply_feed_page(7, page, from, now);
}

fn verdict(step: Evaluation) -> Result<(), Code> {
    match step {
        Evaluation::Decided(decision) => decision.verdict.map_err(|denial| denial.code()),
        other => unreachable!("{other:?}"),
    }
}

/// Takes the deferred tasks.
fn tasks(authorizer: &Authorizer) -> Vec<DeferredTask> {
    authorizer.take_deferred().into_iter().map(|(_, task)| task).collect()
}

#[test]
fn made_up_keys_are_refused_before_any_store() {
    let authorizer = authorizer();
    let good = token(&authorizer).reveal().to_string();
    let other = Authorizer::new(Keyring::parse("1:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").unwrap());
    assert_eq!(other.parse_key(&good).map(|_| ()), Err(Denial::Forged));
    assert!(matches!(authorizer.parse_key(&good[..54]), Err(Denial::Malformed(_))));
    assert_eq!(authorizer.parse_key("").map(|_| ()), Err(Denial::Missing));
}

#[test]
fn nothing_decides_before_the_feed_was_read() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    authorizer.cache_key(&key, copy(record(), NOW));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsFeed));
    hear(&authorizer, vec![], NOW);
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Ok(()));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR - 1))), Ok(()));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR)), Evaluation::NeedsFeed));
    hear(&authorizer, vec![], NOW.plus(60_000));
    assert_eq!(
        verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(60_000))),
        Ok(()),
        "what is remembered stays good for long"
    );
}

#[test]
fn what_the_feed_forbids_decides_nothing_and_a_copy_of_it_neither() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsReplica));
    authorizer.cache_key(&key, copy(record(), NOW));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Ok(()));
    hear(&authorizer, vec![Entry { subject: Subject::Key(key.locator), version: 4 }], NOW.plus(1));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(1)), Evaluation::NeedsReplica), "it is forgotten");
    // KV still has the old one.
    authorizer.cache_key(&key, copy(record(), NOW.plus(2)));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(2)), Evaluation::NeedsVault));
    let truth = CachedKey { from_vault: true, ..copy(Record { version: 4, active: false, ..record() }, NOW.plus(3)) };
    authorizer.cache_key(&key, truth);
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(3))), Err(Code::Inactive));
}

#[test]
fn a_change_of_the_workspace_makes_every_copy_too_old() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    hear(&authorizer, vec![Entry { subject: Subject::Workspace(7), version: 2 }], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsVault));
}

#[test]
fn what_the_vault_said_decides_for_a_moment_without_the_feed() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    authorizer.cache_key(&key, CachedKey { from_vault: true, ..copy(record(), NOW) });
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR - 1))), Ok(()));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR)), Evaluation::NeedsFeed));
}

#[test]
fn without_feed_and_vault_the_workspace_has_chosen() {
    let (authorizer, later) = (authorizer(), NOW.plus(30_000));
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    assert_eq!(
        verdict(authorizer.evaluate_without_vault(&key, &ANY, later)),
        Err(Code::Unavailable),
        "the default is to refuse"
    );
    let mut patient = record();
    patient.workspace.outage_seconds = 60;
    authorizer.cache_key(&key, copy(patient, NOW.plus(1)));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, later)), Ok(()));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(59_999))), Ok(()));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(60_000))), Err(Code::Unavailable));
    let fresh = self::authorizer();
    assert_eq!(verdict(fresh.evaluate_without_vault(&key, &ANY, NOW)), Err(Code::Unavailable), "nothing is remembered");
    let mut trusted = record();
    trusted.workspace.outage_seconds = 60;
    fresh.cache_key(&key, copy(trusted.clone(), NOW));
    assert_eq!(
        verdict(fresh.evaluate_without_vault(&key, &ANY, later)),
        Err(Code::Unavailable),
        "a copy says nothing of now"
    );
    fresh.cache_key(&key, CachedKey { from_vault: true, ..copy(trusted, NOW) });
    assert_eq!(verdict(fresh.evaluate_without_vault(&key, &ANY, NOW.plus(59_999))), Ok(()), "the vault said so itself");
    assert_eq!(verdict(fresh.evaluate_without_vault(&key, &ANY, NOW.plus(60_000))), Err(Code::Unavailable));
}

#[test]
fn what_the_feed_forbids_is_not_forgiven_either() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let mut patient = record();
    patient.workspace.outage_seconds = 60;
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(patient.clone(), NOW));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW)), Ok(()));
    hear(&authorizer, vec![Entry { subject: Subject::Key(key.locator), version: 4 }], NOW.plus(1));
    // KV still has the old one, or somebody has put it back.
    authorizer.cache_key(&key, copy(patient, NOW.plus(2)));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(2)), Evaluation::NeedsVault));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(2))), Err(Code::Unavailable));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(30_000))), Err(Code::Unavailable));
}

#[test]
fn a_wrong_secret_gets_nothing_of_the_record_and_asks_three_times_a_second() {
    let authorizer = authorizer();
    let key = guessed(&authorizer);
    hear(&authorizer, vec![], NOW);
    let truth = CachedKey { from_vault: true, ..copy(record(), NOW) };
    authorizer.cache_key(&key, truth.clone());
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsSecretRecheck),
        "the key may have been rotated since"
    );
    assert_eq!(
        verdict(authorizer.evaluate(&key, &ANY, true, NOW)),
        Err(Code::UnknownKey),
        "once is enough for one call"
    );
    assert_eq!(
        verdict(authorizer.evaluate_offline(&key, &ANY, NOW)),
        Err(Code::Unavailable),
        "nobody knows that it is wrong"
    );
    for _ in 0..3 {
        assert!(
            matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsSecretRecheck),
            "it may be rotated again"
        );
        authorizer.cache_key(&key, CachedKey { secret_rechecks: 1, ..truth.clone() });
    }
    let Evaluation::Decided(decision) = authorizer.evaluate(&key, &ANY, false, NOW.plus(999)) else { unreachable!() };
    assert_eq!(decision.verdict, Err(Denial::Unknown));
    assert!(decision.record.is_none());
    assert_eq!(
        verdict(authorizer.evaluate_offline(&key, &ANY, NOW.plus(999))),
        Err(Code::UnknownKey),
        "the vault has just said so"
    );
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(1_000)), Evaluation::NeedsSecretRecheck));
}

#[test]
fn a_secret_that_a_copy_does_not_know_is_asked_for_before_it_is_refused() {
    let authorizer = authorizer();
    let key = guessed(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, true, NOW), Evaluation::NeedsSecretRecheck),
        "the copy may be older than the secret"
    );
    let mut patient = record();
    patient.workspace.outage_seconds = 60;
    authorizer.cache_key(&key, CachedKey { from_vault: true, ..copy(patient, NOW.plus(1)) });
    let later = NOW.plus(30_000);
    assert_eq!(
        verdict(authorizer.evaluate_offline(&key, &ANY, later)),
        Err(Code::Unavailable),
        "nor does an outage make it wrong"
    );
    authorizer.cache_key(&key, copy(Record { deleted: true, ..record() }, later));
    hear(&authorizer, vec![], later);
    assert_eq!(verdict(authorizer.evaluate_offline(&key, &ANY, later)), Err(Code::UnknownKey), "it is deleted");
}

#[test]
fn a_wrong_secret_of_a_deleted_key_asks_nobody() {
    let authorizer = authorizer();
    let key = guessed(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(Record { deleted: true, ..record() }, NOW));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Err(Code::UnknownKey));
}

/// A key that we issued, with another secret.
fn guessed(authorizer: &Authorizer) -> PresentedKey {
    let mut wrong = token(authorizer);
    wrong.secret = "NMLKJIHGFEDCBA9876543210".parse().unwrap();
    authorizer.parse_key(&wrong.reveal()).unwrap()
}

#[test]
fn a_copy_that_the_feed_forbids_is_looked_for_again_once_in_ten_seconds() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![Entry { subject: Subject::Key(key.locator), version: 4 }], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    let step = |seconds: i64| {
        let now = NOW.plus(seconds * SECOND);
        hear(&authorizer, vec![], now);
        authorizer.evaluate(&key, &ANY, false, now)
    };
    assert!(matches!(step(9), Evaluation::NeedsVault));
    assert!(matches!(step(10), Evaluation::NeedsReplica), "there may be a newer one");
    // KV has none or fails, and so does the vault.
    authorizer.begin_fetch(&key, true, None, NOW.plus(10 * SECOND));
    assert!(matches!(step(19), Evaluation::NeedsVault));
    assert!(matches!(step(20), Evaluation::NeedsReplica));
    authorizer.cache_key(&key, copy(record(), NOW.plus(20 * SECOND)));
    assert!(matches!(step(29), Evaluation::NeedsVault), "it is still the old one");
    authorizer.cache_key(&key, copy(Record { version: 4, ..record() }, NOW.plus(30 * SECOND)));
    assert_eq!(verdict(step(30)), Ok(()));
}

#[test]
fn what_was_checked_is_counted_and_sent_by_one() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    assert!(!authorizer.has_deferred());
    for requirements in [ANY, Requirements { call: Call { required: ScopeSet::full(), ..ANY.call }, ..ANY }] {
        let Evaluation::Decided(decision) = authorizer.evaluate(&key, &requirements, false, NOW) else {
            unreachable!()
        };
        authorizer.count(&decision, &requirements, NOW);
    }
    authorizer.count(&Decision::refused(Denial::Unknown), &ANY, NOW);
    let tasks = tasks(&authorizer);
    assert!(matches!(tasks[..], [DeferredTask::FlushUsage]), "{tasks:?}");
    authorizer.close_usage_batches(9, NOW);
    let batch = authorizer.next_batch(7, NOW).unwrap();
    let outcomes: Vec<_> = batch.counts.iter().map(|(cell, count)| (cell.outcome, *count)).collect();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.contains(&(Code::Valid.number(), 1)) && outcomes.contains(&(Code::ScopeMissing.number(), 1)));
    assert_eq!(batch.last_uses.len(), 1, "a refused call is no use");
}

#[test]
fn a_call_that_nobody_can_decide_is_counted_if_its_key_is_remembered() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let counted = |key: &PresentedKey| {
        let Evaluation::Decided(decision) = authorizer.evaluate_offline(key, &ANY, NOW) else { unreachable!() };
        assert_eq!(decision.verdict, Err(Denial::Unavailable));
        decision.record.map(|record| record.version)
    };
    assert_eq!(counted(&key), None, "nobody knows whose it is");
    authorizer.cache_key(&key, copy(record(), NOW));
    assert_eq!((counted(&key), counted(&guessed(&authorizer))), (Some(3), None));
    authorizer.cache_key(&key, copy(Record { deleted: true, ..record() }, NOW));
    assert_eq!(counted(&key), None, "what is deleted is nobody's business");
    let unavailable = Authorizer::unavailable(Some(record().into()));
    authorizer.count(&unavailable, &ANY, NOW);
    authorizer.close_usage_batches(9, NOW);
    let batch = authorizer.next_batch(7, NOW).unwrap();
    assert_eq!((batch.counts[0].0.outcome, batch.last_uses.len()), (Code::Unavailable.number(), 0));
}

#[test]
fn the_feed_is_read_after_an_answer_once_a_second_and_by_one() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    let later = NOW.plus(1_000);
    let feeds = |now| {
        let Evaluation::Decided(decision) = authorizer.evaluate(&key, &ANY, false, now) else { unreachable!() };
        authorizer.count(&decision, &ANY, now);
        tasks(&authorizer).iter().filter(|task| matches!(task, DeferredTask::ReadFeed(7))).count()
    };
    assert_eq!((feeds(NOW.plus(999)), feeds(later), feeds(later)), (0, 1, 0));
}

#[test]
fn a_younger_record_of_a_key_that_is_used_is_fetched_in_time_and_one_a_second() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(record(), NOW));
    let renewed = |key: &PresentedKey, now| {
        hear(&authorizer, vec![], now);
        let Evaluation::Decided(decision) = authorizer.evaluate(key, &ANY, true, now) else { unreachable!() };
        authorizer.count(&decision, &ANY, now);
        let matches =
            |task: &DeferredTask| matches!(task, DeferredTask::RefreshKey(other) if other.locator == key.locator);
        tasks(&authorizer).iter().filter(|task| matches(task)).count()
    };
    let half = NOW.plus(12 * HOUR);
    assert_eq!((renewed(&key, half.plus(-1)), renewed(&key, half)), (0, 1));
    assert_eq!((renewed(&key, half.plus(999)), renewed(&key, half.plus(1_000))), (0, 1), "one a second");
    authorizer.cache_key(&key, copy(Record { sealed_at: half, ..record() }, half));
    assert_eq!(renewed(&key, half.plus(2_000)), 0, "it was fetched");
}

#[test]
fn a_refused_key_is_still_described_to_its_holder() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, copy(Record { active: false, ..record() }, NOW));
    let Evaluation::Decided(decision) = authorizer.evaluate(&key, &ANY, false, NOW) else { unreachable!() };
    assert_eq!(decision.verdict, Err(Denial::Inactive));
    assert_eq!(decision.record.map(|record| record.version), Some(3));
}

#[test]
fn a_key_that_opened_a_record_opens_no_other_and_opens_it_for_no_other_key() {
    let authorizer = authorizer();
    let good = token(&authorizer).reveal();
    let opened = |authorizer: &Authorizer| authorizer.key_cache.borrow().last_match(record().locator).is_some();
    hear(&authorizer, vec![], NOW);
    authorizer.cache_key(&presented(&authorizer), copy(record(), NOW));
    assert!(!opened(&authorizer));
    for _ in 0..2 {
        assert_eq!(verdict(authorizer.evaluate(&authorizer.parse_key(&good).unwrap(), &ANY, false, NOW)), Ok(()));
        assert!(opened(&authorizer), "it need not be worked out again");
    }
    // The same locator with another secret, and the same key in another environment.
    let wrong = guessed(&authorizer);
    assert!(matches!(authorizer.evaluate(&wrong, &ANY, true, NOW), Evaluation::NeedsSecretRecheck));
    assert!(authorizer.parse_key(&good.replacen("oc_live_", "oc_test_", 1)).is_err());
    assert!(authorizer.parse_key(&good[..54]).is_err());
    // A record with other secrets.
    let mut rotated = record();
    rotated.secrets[0].digest = ownchat_domain::digest::KeyDigest::from_bytes([9; 32]);
    authorizer.cache_key(&presented(&authorizer), copy(rotated, NOW.plus(1)));
    assert!(matches!(
        authorizer.evaluate(&authorizer.parse_key(&good).unwrap(), &ANY, true, NOW.plus(1)),
        Evaluation::NeedsSecretRecheck
    ));
}
