//! Decisions from the caches, and the fetches that they need first.

mod fetching;
mod limits;

use super::*;
use crate::testing::{NOW, authorizer, record, token};
use ownchat_domain::{
    checks::AccessRequest,
    feed::{Entry, FRESH_FOR},
    scope::ScopeSet,
    time::HOUR,
    verdict::Code,
};

const ANY: Requirements<'static> = Requirements {
    request: AccessRequest { required: ScopeSet::EMPTY, channel: None, address: None },
    cost: 1,
    client_ip: None,
};

fn presented(authorizer: &Authorizer) -> PresentedKey {
    authorizer.parse_key(&token(authorizer).reveal()).unwrap()
}

fn cached(record: Record, requested_at: Timestamp) -> CachedKey {
    CachedKey::new(Some(record.into()), requested_at)
}

/// Applies a page of the feed that was read just now.
fn apply_feed(authorizer: &Authorizer, entries: Vec<Entry>, now: Timestamp) {
    let from = authorizer.begin_feed_read(7, now);
    let page = Page { incarnation: 1, born: NOW, position: from.position + entries.len() as u64, more: false, entries };
    authorizer.apply_feed_page(7, page, from, now);
}

fn verdict(evaluation: Evaluation) -> Result<(), Code> {
    match evaluation {
        Evaluation::Decided(decision) => decision.verdict.map_err(|denial| denial.code()),
        other => unreachable!("{other:?}"),
    }
}

/// Takes the deferred tasks.
fn tasks(authorizer: &Authorizer) -> Vec<DeferredTask> {
    authorizer.take_deferred().into_iter().map(|(_, task)| task).collect()
}

#[test]
fn made_up_key_is_refused_without_a_store() {
    let authorizer = authorizer();
    let good = token(&authorizer).reveal().to_string();
    let other = Authorizer::new(Keyring::parse("1:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").unwrap());
    assert_eq!(other.parse_key(&good).map(|_| ()), Err(Denial::Forged));
    assert!(matches!(authorizer.parse_key(&good[..54]), Err(Denial::Malformed(_))));
    assert_eq!(authorizer.parse_key("").map(|_| ()), Err(Denial::Missing));
}

#[test]
fn cached_record_needs_a_fresh_feed() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    authorizer.cache_key(&key, cached(record(), NOW));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsFeed));
    apply_feed(&authorizer, vec![], NOW);
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Ok(()));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR - 1))), Ok(()));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR)), Evaluation::NeedsFeed));
    apply_feed(&authorizer, vec![], NOW.plus(60_000));
    assert_eq!(
        verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(60_000))),
        Ok(()),
        "the cached record stays valid"
    );
}

#[test]
fn revoked_record_and_its_stale_replica_do_not_decide() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsReplica));
    authorizer.cache_key(&key, cached(record(), NOW));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Ok(()));
    apply_feed(&authorizer, vec![Entry { subject: Affected::Key(key.locator), version: 4 }], NOW.plus(1));
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(1)), Evaluation::NeedsReplica),
        "the record is evicted"
    );
    // KV still has the old one.
    authorizer.cache_key(&key, cached(record(), NOW.plus(2)));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(2)), Evaluation::NeedsVault));
    let from_vault =
        CachedKey { from_vault: true, ..cached(Record { version: 4, active: false, ..record() }, NOW.plus(3)) };
    authorizer.cache_key(&key, from_vault);
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(3))), Err(Code::Inactive));
}

#[test]
fn workspace_change_makes_every_replica_stale() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    apply_feed(&authorizer, vec![Entry { subject: Affected::Workspace(7), version: 2 }], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsVault));
}

#[test]
fn record_from_the_vault_decides_briefly_without_the_feed() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    authorizer.cache_key(&key, CachedKey { from_vault: true, ..cached(record(), NOW) });
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR - 1))), Ok(()));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(FRESH_FOR)), Evaluation::NeedsFeed));
}

#[test]
fn outage_tolerance_is_the_choice_of_the_workspace() {
    let (authorizer, later) = (authorizer(), NOW.plus(30_000));
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    assert_eq!(
        verdict(authorizer.evaluate_without_vault(&key, &ANY, later)),
        Err(Code::Unavailable),
        "the default is no tolerance"
    );
    let mut tolerant = record();
    tolerant.workspace.outage_seconds = 60;
    authorizer.cache_key(&key, cached(tolerant, NOW.plus(1)));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, later)), Ok(()));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(59_999))), Ok(()));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(60_000))), Err(Code::Unavailable));
    let other = self::authorizer();
    assert_eq!(verdict(other.evaluate_without_vault(&key, &ANY, NOW)), Err(Code::Unavailable), "nothing is cached");
    let mut tolerant = record();
    tolerant.workspace.outage_seconds = 60;
    other.cache_key(&key, cached(tolerant.clone(), NOW));
    assert_eq!(
        verdict(other.evaluate_without_vault(&key, &ANY, later)),
        Err(Code::Unavailable),
        "a replica does not prove the present"
    );
    other.cache_key(&key, CachedKey { from_vault: true, ..cached(tolerant, NOW) });
    assert_eq!(
        verdict(other.evaluate_without_vault(&key, &ANY, NOW.plus(59_999))),
        Ok(()),
        "the record came from the vault"
    );
    assert_eq!(verdict(other.evaluate_without_vault(&key, &ANY, NOW.plus(60_000))), Err(Code::Unavailable));
}

#[test]
fn revoked_key_is_not_tolerated_in_an_outage() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let mut tolerant = record();
    tolerant.workspace.outage_seconds = 60;
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(tolerant.clone(), NOW));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW)), Ok(()));
    apply_feed(&authorizer, vec![Entry { subject: Affected::Key(key.locator), version: 4 }], NOW.plus(1));
    // KV still has the old one, or somebody has put it back.
    authorizer.cache_key(&key, cached(tolerant, NOW.plus(2)));
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(2)), Evaluation::NeedsVault));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(2))), Err(Code::Unavailable));
    assert_eq!(verdict(authorizer.evaluate_without_vault(&key, &ANY, NOW.plus(30_000))), Err(Code::Unavailable));
}

#[test]
fn wrong_secret_costs_three_rechecks_a_second_and_no_data() {
    let authorizer = authorizer();
    let key = with_wrong_secret(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    let from_vault = CachedKey { from_vault: true, ..cached(record(), NOW) };
    authorizer.cache_key(&key, from_vault.clone());
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsSecretRecheck),
        "the key may have been rotated since"
    );
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, true, NOW)), Err(Code::UnknownKey), "one recheck per request");
    assert_eq!(
        verdict(authorizer.evaluate_offline(&key, &ANY, NOW)),
        Err(Code::Unavailable),
        "the secret is not known to be wrong"
    );
    for _ in 0..3 {
        assert!(
            matches!(authorizer.evaluate(&key, &ANY, false, NOW), Evaluation::NeedsSecretRecheck),
            "the key may be rotated again"
        );
        authorizer.cache_key(&key, CachedKey { secret_rechecks: 1, ..from_vault.clone() });
    }
    let Evaluation::Decided(decision) = authorizer.evaluate(&key, &ANY, false, NOW.plus(999)) else { unreachable!() };
    assert_eq!(decision.verdict, Err(Denial::Unknown));
    assert!(decision.record.is_none());
    assert_eq!(
        verdict(authorizer.evaluate_offline(&key, &ANY, NOW.plus(999))),
        Err(Code::UnknownKey),
        "the vault has just confirmed it"
    );
    assert!(matches!(authorizer.evaluate(&key, &ANY, false, NOW.plus(1_000)), Evaluation::NeedsSecretRecheck));
}

#[test]
fn secret_unknown_to_a_replica_is_rechecked_before_refusal() {
    let authorizer = authorizer();
    let key = with_wrong_secret(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    assert!(
        matches!(authorizer.evaluate(&key, &ANY, true, NOW), Evaluation::NeedsSecretRecheck),
        "the replica may be older than the secret"
    );
    let mut tolerant = record();
    tolerant.workspace.outage_seconds = 60;
    authorizer.cache_key(&key, CachedKey { from_vault: true, ..cached(tolerant, NOW.plus(1)) });
    let later = NOW.plus(30_000);
    assert_eq!(
        verdict(authorizer.evaluate_offline(&key, &ANY, later)),
        Err(Code::Unavailable),
        "an outage does not make the secret wrong"
    );
    authorizer.cache_key(&key, cached(Record { deleted: true, ..record() }, later));
    apply_feed(&authorizer, vec![], later);
    assert_eq!(verdict(authorizer.evaluate_offline(&key, &ANY, later)), Err(Code::UnknownKey), "the key is deleted");
}

#[test]
fn wrong_secret_of_a_deleted_key_costs_no_fetch() {
    let authorizer = authorizer();
    let key = with_wrong_secret(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(Record { deleted: true, ..record() }, NOW));
    assert_eq!(verdict(authorizer.evaluate(&key, &ANY, false, NOW)), Err(Code::UnknownKey));
}

/// A key that we issued, with another secret.
fn with_wrong_secret(authorizer: &Authorizer) -> PresentedKey {
    let mut wrong = token(authorizer);
    wrong.secret = "NMLKJIHGFEDCBA9876543210".parse().unwrap();
    authorizer.parse_key(&wrong.reveal()).unwrap()
}

#[test]
fn stale_replica_is_reread_every_ten_seconds() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![Entry { subject: Affected::Key(key.locator), version: 4 }], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    let evaluation = |seconds: i64| {
        let now = NOW.plus(seconds * SECOND);
        apply_feed(&authorizer, vec![], now);
        authorizer.evaluate(&key, &ANY, false, now)
    };
    assert!(matches!(evaluation(9), Evaluation::NeedsVault));
    assert!(matches!(evaluation(10), Evaluation::NeedsReplica), "KV may have a newer record");
    // KV has none or fails, and so does the vault.
    authorizer.begin_fetch(&key, true, None, NOW.plus(10 * SECOND));
    assert!(matches!(evaluation(19), Evaluation::NeedsVault));
    assert!(matches!(evaluation(20), Evaluation::NeedsReplica));
    authorizer.cache_key(&key, cached(record(), NOW.plus(20 * SECOND)));
    assert!(matches!(evaluation(29), Evaluation::NeedsVault), "the replica is still stale");
    authorizer.cache_key(&key, cached(Record { version: 4, ..record() }, NOW.plus(30 * SECOND)));
    assert_eq!(verdict(evaluation(30)), Ok(()));
}

#[test]
fn decisions_are_counted_and_flushed_by_one_task() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    assert!(!authorizer.has_deferred());
    for requirements in
        [ANY, Requirements { request: AccessRequest { required: ScopeSet::full(), ..ANY.request }, ..ANY }]
    {
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
    assert_eq!(batch.last_uses.len(), 1, "a refused request is no use");
}

#[test]
fn undecided_request_is_counted_if_its_key_is_cached() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    let counted = |key: &PresentedKey| {
        let Evaluation::Decided(decision) = authorizer.evaluate_offline(key, &ANY, NOW) else { unreachable!() };
        assert_eq!(decision.verdict, Err(Denial::Unavailable));
        decision.record.map(|record| record.version)
    };
    assert_eq!(counted(&key), None, "the workspace is unknown");
    authorizer.cache_key(&key, cached(record(), NOW));
    assert_eq!((counted(&key), counted(&with_wrong_secret(&authorizer))), (Some(3), None));
    authorizer.cache_key(&key, cached(Record { deleted: true, ..record() }, NOW));
    assert_eq!(counted(&key), None, "a deleted key is not revealed");
    let unavailable = Authorizer::unavailable(Some(record().into()));
    authorizer.count(&unavailable, &ANY, NOW);
    authorizer.close_usage_batches(9, NOW);
    let batch = authorizer.next_batch(7, NOW).unwrap();
    assert_eq!((batch.counts[0].0.outcome, batch.last_uses.len()), (Code::Unavailable.number(), 0));
}

#[test]
fn feed_is_refreshed_once_a_second_by_one_task() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    let later = NOW.plus(1_000);
    let refreshes = |now| {
        let Evaluation::Decided(decision) = authorizer.evaluate(&key, &ANY, false, now) else { unreachable!() };
        authorizer.count(&decision, &ANY, now);
        tasks(&authorizer).iter().filter(|task| matches!(task, DeferredTask::ReadFeed(7))).count()
    };
    assert_eq!((refreshes(NOW.plus(999)), refreshes(later), refreshes(later)), (0, 1, 0));
}

#[test]
fn key_in_use_is_refreshed_at_half_life_one_a_second() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(record(), NOW));
    let refreshes = |key: &PresentedKey, now| {
        apply_feed(&authorizer, vec![], now);
        let Evaluation::Decided(decision) = authorizer.evaluate(key, &ANY, true, now) else { unreachable!() };
        authorizer.count(&decision, &ANY, now);
        let matches =
            |task: &DeferredTask| matches!(task, DeferredTask::RefreshKey(other) if other.locator == key.locator);
        tasks(&authorizer).iter().filter(|task| matches(task)).count()
    };
    let half = NOW.plus(12 * HOUR);
    assert_eq!((refreshes(&key, half.plus(-1)), refreshes(&key, half)), (0, 1));
    assert_eq!((refreshes(&key, half.plus(999)), refreshes(&key, half.plus(1_000))), (0, 1), "one refresh a second");
    authorizer.cache_key(&key, cached(Record { sealed_at: half, ..record() }, half));
    assert_eq!(refreshes(&key, half.plus(2_000)), 0, "the record was refreshed");
}

#[test]
fn denial_of_a_real_key_keeps_its_record() {
    let authorizer = authorizer();
    let key = presented(&authorizer);
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&key, cached(Record { active: false, ..record() }, NOW));
    let Evaluation::Decided(decision) = authorizer.evaluate(&key, &ANY, false, NOW) else { unreachable!() };
    assert_eq!(decision.verdict, Err(Denial::Inactive));
    assert_eq!(decision.record.map(|record| record.version), Some(3));
}

#[test]
fn cached_match_is_bound_to_key_and_record() {
    let authorizer = authorizer();
    let good = token(&authorizer).reveal();
    let is_matched = |authorizer: &Authorizer| authorizer.key_cache.borrow().last_match(record().locator).is_some();
    apply_feed(&authorizer, vec![], NOW);
    authorizer.cache_key(&presented(&authorizer), cached(record(), NOW));
    assert!(!is_matched(&authorizer));
    for _ in 0..2 {
        assert_eq!(verdict(authorizer.evaluate(&authorizer.parse_key(&good).unwrap(), &ANY, false, NOW)), Ok(()));
        assert!(is_matched(&authorizer), "the match is cached");
    }
    // The same locator with another secret, and the same key in another environment.
    let wrong = with_wrong_secret(&authorizer);
    assert!(matches!(authorizer.evaluate(&wrong, &ANY, true, NOW), Evaluation::NeedsSecretRecheck));
    assert!(authorizer.parse_key(&good.replacen("oc_live_", "oc_test_", 1)).is_err());
    assert!(authorizer.parse_key(&good[..54]).is_err());
    // A record with other secrets.
    let mut rotated = record();
    rotated.secrets[0].digest = ownchat_domain::digest::KeyDigest::from_bytes([9; 32]);
    authorizer.cache_key(&presented(&authorizer), cached(rotated, NOW.plus(1)));
    assert!(matches!(
        authorizer.evaluate(&authorizer.parse_key(&good).unwrap(), &ANY, true, NOW.plus(1)),
        Evaluation::NeedsSecretRecheck
    ));
}
