//! Flush, retry and eviction of usage batches.

use super::*;
use crate::testing::{NOW, record};
use ownchat_domain::{locator::Locator, scope::ScopeSet, verdict::Code};
use std::collections::BTreeSet;

fn count(counts: &mut UsageBuffer, workspace: u32) {
    counts.tally.count(workspace, record().locator, Code::Valid, ScopeSet::EMPTY, Some(1), NOW);
}

/// Sends the batches that are due and returns their workspaces and sequence numbers. Those of the
/// workspace `failing` fail.
fn send(counts: &mut UsageBuffer, failing: u32, now: Timestamp) -> Vec<(u32, u64)> {
    let mut sent = Vec::new();
    let due: Vec<_> = counts.due(now).collect();
    for workspace in due {
        while let Some(batch) = counts.next_batch(workspace, now) {
            sent.push((workspace, batch.sequence));
            counts.batch_sent(workspace, batch.sequence, workspace != failing, now);
        }
    }
    sent
}

/// Returns the number of requests in pending batches.
fn waiting(counts: &UsageBuffer) -> u64 {
    counts
        .pending
        .iter()
        .flat_map(|pending| &pending.batches)
        .flat_map(|batch| &batch.counts)
        .map(|(_, calls)| calls)
        .sum()
}

#[test]
fn one_sends_for_all_and_another_if_that_one_is_gone() {
    let mut counts = UsageBuffer::default();
    assert_eq!(counts.schedule_flush(NOW), None, "nothing was counted");
    count(&mut counts, 7);
    assert_eq!(counts.schedule_flush(NOW), Some(NOW.plus(FLUSH_DELAY)));
    count(&mut counts, 7);
    assert_eq!(counts.schedule_flush(NOW.plus(FLUSH_TIMEOUT - 1)), None, "somebody has undertaken to");
    assert_eq!(counts.schedule_flush(NOW.plus(FLUSH_TIMEOUT)), Some(NOW.plus(FLUSH_TIMEOUT + FLUSH_DELAY)));
    assert_eq!((counts.close(9, NOW), waiting(&counts)), (0, 2));
    count(&mut counts, 7);
    assert!(counts.schedule_flush(NOW).is_some(), "what was counted since is somebody else's to send");
}

#[test]
fn what_cannot_be_sent_is_sent_again_as_it_was_after_one_two_and_four_seconds() {
    let mut counts = UsageBuffer::default();
    count(&mut counts, 7);
    counts.close(9, NOW);
    let (mut now, first) = (NOW, counts.pending[0].batches[0].clone());
    for wait in [0, 1, 2, 4, 4].map(|seconds| seconds * SECOND) {
        now = now.plus(wait);
        assert_eq!(counts.next_batch(7, now.plus(-1)).filter(|_| wait > 0), None, "too soon");
        let again = counts.next_batch(7, now).unwrap();
        assert_eq!(again, first, "the same isolate and sequence, so that it counts once");
        counts.batch_sent(7, again.sequence, false, now);
        count(&mut counts, 7);
        counts.close(10, now);
    }
    let all = send(&mut counts, 0, now.plus(4 * SECOND));
    assert_eq!(
        all,
        [(7, 1), (7, 2), (7, 3)],
        "and what was counted meanwhile, together, though nobody counts any more"
    );
    assert!(counts.pending.is_empty() && counts.tally.is_empty());
    assert_eq!((counts.isolate, counts.has_pending()), (9, false));
}

#[test]
fn a_batch_that_is_being_sent_is_kept_and_sent_by_nobody_else_until_that_one_is_lost() {
    let mut counts = UsageBuffer::default();
    count(&mut counts, 7);
    counts.close(9, NOW);
    let batch = counts.next_batch(7, NOW).unwrap();
    assert_eq!(
        (waiting(&counts), counts.has_pending(), counts.next_batch(7, NOW.plus(SEND_TIMEOUT - 1))),
        (1, true, None)
    );
    assert_eq!(counts.next_batch(7, NOW.plus(SEND_TIMEOUT)), Some(batch.clone()), "whoever sent it was called off");
    assert_eq!(counts.next_batch(7, NOW.plus(-1)), Some(batch.clone()), "the clock was set back");
    counts.batch_sent(7, batch.sequence, true, NOW);
    // The sender that was believed lost returns.
    counts.batch_sent(7, batch.sequence, false, NOW);
    assert!(counts.pending.is_empty());
}

#[test]
fn those_of_all_workspaces_are_sent_at_once_and_again_while_one_hangs() {
    let mut counts = UsageBuffer::default();
    for workspace in [7, 8] {
        count(&mut counts, workspace);
    }
    counts.close(9, NOW);
    assert_eq!(counts.due(NOW).collect::<BTreeSet<_>>(), [7, 8].into());
    let hanging = counts.next_batch(7, NOW).unwrap();
    assert!(counts.due(NOW).eq([8]));
    for second in 0..5 {
        let now = NOW.plus(second * SECOND);
        assert_eq!(send(&mut counts, 0, now).len(), 1, "after {second} s");
        count(&mut counts, 8);
        counts.close(9, now.plus(SECOND));
    }
    counts.batch_sent(7, hanging.sequence, true, NOW.plus(5 * SECOND));
    assert_eq!(send(&mut counts, 0, NOW.plus(5 * SECOND)).len(), 1);
    assert!(!counts.has_pending());
}

#[test]
fn a_workspace_that_fails_delays_and_drops_nothing_of_another() {
    let mut counts = UsageBuffer::default();
    let (mut dropped, mut now) = (0, NOW);
    for round in 0..500u64 {
        now = now.plus(SECOND);
        for workspace in [7, 8] {
            count(&mut counts, workspace);
        }
        dropped += counts.close(9, now);
        let all = send(&mut counts, 7, now);
        assert_eq!(all.iter().filter(|(workspace, _)| *workspace == 8).count(), 1, "round {round}");
    }
    assert_eq!(dropped, 0);
    // Nothing of the other is lost either, and all of it is sent once the vault accepts it.
    let more = counts.tally.is_empty();
    assert_eq!((more, waiting(&counts)), (false, 2));
    assert_eq!(send(&mut counts, 0, now.plus(SEND_TIMEOUT)).len(), BATCHES_AHEAD + 1);
    assert!(counts.tally.is_empty());
}

#[test]
fn without_a_vault_the_eldest_of_whom_most_waits_are_given_up_at_last() {
    let mut counts = UsageBuffer::default();
    let fill = |counts: &mut UsageBuffer, workspace: u32, from: usize| {
        for number in from..from + BATCH_MAX {
            let key: Locator = format!("{number:016}").parse().unwrap();
            counts.tally.count(workspace, key, Code::Inactive, ScopeSet::EMPTY, None, NOW);
        }
        counts.close(9, NOW)
    };
    let room = WORKSPACE_CAPACITY / BATCH_MAX;
    assert_eq!((0..room).map(|round| fill(&mut counts, 7, round)).sum::<usize>(), 0);
    count(&mut counts, 8);
    assert_eq!(counts.close(9, NOW), 0);
    assert_eq!(fill(&mut counts, 7, 0), 1);
    assert_eq!(counts.pending[0].batches[0].sequence, 2, "the eldest");
    assert_eq!(counts.pending[1].batches.len(), 1, "of whom little waits nothing is given up");
    // Many workspaces, each within its own capacity.
    let dropped: usize =
        (9..17).flat_map(|workspace| [workspace; 10]).map(|workspace| fill(&mut counts, workspace, 0)).sum();
    assert_eq!(dropped, 11, "of nine times as much as one may keep an eighth is more than all may");
    let all: usize = counts.pending.iter().map(PendingBatches::size).sum();
    assert!(all <= CAPACITY, "{all}");
    assert_eq!(counts.pending[1].batches.len(), 1);
}
