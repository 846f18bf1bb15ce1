//! Every transition, every step, and the end of every lookup.

use super::*;
use crate::testing::{NOW, authorizer, record, token};
use ownchat_domain::{checks::AccessRequest, scope::ScopeSet, verdict::Code};

/// The events besides [`Event::Leased`], which holds a record.
const EVENTS: [Event; 6] =
    [Event::KeyFetched, Event::FetchFailed, Event::NotAdmitted, Event::Polled, Event::FeedRead, Event::StandingRead];

fn lookup(events: impl IntoIterator<Item = Event>) -> Lookup {
    let mut lookup = Lookup::default();
    events.into_iter().for_each(|event| lookup.apply(event));
    lookup
}

fn leased() -> Event {
    Event::Leased(record().into())
}

#[test]
fn each_state_has_its_transitions() {
    use State::{Cached, Failed, Fetched, Offline};
    for (state, after) in [
        (Cached, [Fetched, Failed, Offline, Cached, Cached, Cached]),
        (Fetched, [Fetched, Failed, Failed, Fetched, Fetched, Fetched]),
        (Offline, [Offline; 6]),
        (Failed, [Failed; 6]),
    ] {
        assert_eq!(EVENTS.map(|event| state.after(&event)), after, "{state:?}");
        assert_eq!(state.after(&leased()), state, "{state:?}");
    }
    assert_eq!(Lookup::default().state, Cached);
}

#[test]
fn each_evaluation_has_its_step() {
    let key = |fetch| LookupStep::Fetch(Fetch::Key(fetch));
    let refused = || Decision::refused(Denial::Unknown);
    for (evaluation, is_feed_down, step) in [
        (Evaluation::Decided(refused()), false, LookupStep::Respond(refused())),
        (Evaluation::NeedsFeed, false, LookupStep::Fetch(Fetch::Feed)),
        (Evaluation::NeedsFeed, true, key(KeyFetch::Vault)),
        (Evaluation::NeedsReplica, false, key(KeyFetch::Replica)),
        (Evaluation::NeedsReplica, true, key(KeyFetch::Replica)),
        (Evaluation::NeedsVault, false, key(KeyFetch::Vault)),
        (Evaluation::NeedsSecretRecheck, false, key(KeyFetch::SecretRecheck)),
        (Evaluation::NeedsPermits(record().into()), false, LookupStep::LeasePermits(record().into())),
        (Evaluation::NeedsStanding(record().into()), true, LookupStep::ReadStanding(record().into())),
    ] {
        let text = format!("{evaluation:?}");
        assert_eq!(format!("{:?}", LookupStep::after(evaluation, is_feed_down)), format!("{step:?}"), "{text}");
    }
}

#[test]
fn lookup_ends_after_eight_steps() {
    let steps = || EVENTS.into_iter().filter(|event| !matches!(event, Event::NotAdmitted | Event::Polled));
    for event in steps().chain([leased()]) {
        let text = format!("{event:?}");
        let mut lookup = lookup([event]);
        assert_eq!(lookup.steps, 1, "{text}");
        (1..7).for_each(|_| lookup.apply(Event::FeedRead));
        assert!(lookup.exhausted().is_none(), "{text}");
        lookup.apply(Event::StandingRead);
        assert_eq!(lookup.exhausted().unwrap().verdict, Err(Denial::Unavailable), "{text}");
    }
    let mut polling = Lookup::default();
    (0..900).for_each(|_| polling.apply(Event::Polled));
    polling.apply(Event::NotAdmitted);
    assert_eq!((polling.steps, polling.state), (0, State::Offline), "a poll fetches nothing");
}

#[test]
fn an_endless_lookup_counts_for_the_key_that_it_leased_for() {
    let seven = || (0..7).map(|_| Event::FeedRead);
    let record_of = |event| lookup(seven().chain([event])).exhausted().unwrap().record.map(|record| record.version);
    assert_eq!((record_of(leased()), record_of(Event::FeedRead)), (Some(3), None));
    let later = lookup([leased()].into_iter().chain(seven()));
    assert_eq!(later.exhausted().unwrap().record.map(|record| record.version), Some(3));
}

#[test]
fn unknown_key_is_a_miss_once_a_store_was_queried() {
    for (events, expected) in [
        (vec![], false),
        (vec![Event::Polled, Event::FeedRead], false),
        (vec![Event::NotAdmitted], false),
        (vec![Event::KeyFetched], true),
        (vec![Event::FetchFailed], true),
        (vec![Event::KeyFetched, Event::NotAdmitted], true),
    ] {
        let text = format!("{events:?}");
        let lookup = lookup(events);
        assert_eq!(lookup.is_miss(&Decision::refused(Denial::Unknown)), expected, "{text}");
        assert!(!lookup.is_miss(&Decision::refused(Denial::Expired)), "{text}");
    }
}

#[test]
fn only_a_lookup_with_stores_asks_for_fetches() {
    let authorizer = authorizer();
    let key = authorizer.parse_key(&token(&authorizer).reveal()).unwrap();
    let request = AccessRequest { required: ScopeSet::EMPTY, channel: None, address: None };
    let requirements = Requirements { request, cost: 1, client_ip: None };
    for (event, online) in [(Event::KeyFetched, true), (Event::FetchFailed, false), (Event::NotAdmitted, false)] {
        let text = format!("{event:?}");
        match lookup([event]).evaluate(&authorizer, &key, &requirements, NOW) {
            Evaluation::NeedsFeed => assert!(online, "{text}"),
            Evaluation::Decided(decision) => {
                assert_eq!((online, decision.verdict.map_err(|denial| denial.code())), (false, Err(Code::Unavailable)));
            }
            other => unreachable!("{text}: {other:?}"),
        }
    }
}

#[test]
fn fetch_reads_kv_only_for_a_replica_that_may_be_new_enough() {
    for (fetch, age) in [
        (KeyFetch::Replica, Some(LIFETIME)),
        (KeyFetch::NewerReplica, Some(REFRESH_AFTER)),
        (KeyFetch::Vault, None),
        (KeyFetch::SecretRecheck, None),
    ] {
        assert_eq!(fetch.replica_age(), age, "{fetch:?}");
    }
}
