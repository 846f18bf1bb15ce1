//! Flush, retry and eviction of usage batches.

use super::*;
use crate::testing::{NOW, record};
use ownchat_domain::{locator::Locator, scope::ScopeSet, verdict::Code};
use std::collections::BTreeSet;

fn count(usage: &mut UsageBuffer, workspace: u32) {
    usage.tally.count(workspace, record().locator, Code::Valid, ScopeSet::EMPTY, Some(1), NOW);
}

/// Sends the batches that are due and returns their workspaces and sequence numbers. Those of the
/// workspace `failing` fail.
fn send(usage: &mut UsageBuffer, failing: u32, now: Timestamp) -> Vec<(u32, u64)> {
    let mut sent = Vec::new();
    let due: Vec<_> = usage.due(now).collect();
    for workspace in due {
        while let Some(batch) = usage.next_batch(workspace, now) {
            sent.push((workspace, batch.sequence));
            usage.batch_sent(workspace, batch.sequence, workspace != failing, now);
        }
    }
    sent
}

/// Returns the number of requests in pending batches.
fn waiting(usage: &UsageBuffer) -> u64 {
    usage
        .pending
        .iter()
        .flat_map(|pending| &pending.batches)
        .flat_map(|batch| &batch.counts)
        .map(|(_, count)| count)
        .sum()
}

#[test]
fn one_flush_is_scheduled_until_it_times_out() {
    let mut usage = UsageBuffer::default();
    assert_eq!(usage.schedule_flush(NOW), None, "no counts");
    count(&mut usage, 7);
    assert_eq!(usage.schedule_flush(NOW), Some(NOW.plus(FLUSH_DELAY)));
    count(&mut usage, 7);
    assert_eq!(usage.schedule_flush(NOW.plus(FLUSH_TIMEOUT - 1)), None, "a flush is scheduled");
    assert_eq!(usage.schedule_flush(NOW.plus(FLUSH_TIMEOUT)), Some(NOW.plus(FLUSH_TIMEOUT + FLUSH_DELAY)));
    assert_eq!((usage.close(9, NOW), waiting(&usage)), (0, 2));
    count(&mut usage, 7);
    assert!(usage.schedule_flush(NOW).is_some(), "later counts need their own flush");
}

#[test]
fn failed_batch_is_retried_unchanged_after_1_2_and_4_seconds() {
    let mut usage = UsageBuffer::default();
    count(&mut usage, 7);
    usage.close(9, NOW);
    let (mut now, first) = (NOW, usage.pending[0].batches[0].clone());
    for wait in [0, 1, 2, 4, 4].map(|seconds| seconds * SECOND) {
        now = now.plus(wait);
        assert_eq!(usage.next_batch(7, now.plus(-1)).filter(|_| wait > 0), None, "the back-off is not over");
        let again = usage.next_batch(7, now).unwrap();
        assert_eq!(again, first, "the same isolate and sequence, so that it counts once");
        usage.batch_sent(7, again.sequence, false, now);
        count(&mut usage, 7);
        usage.close(10, now);
    }
    let all = send(&mut usage, 0, now.plus(4 * SECOND));
    assert_eq!(all, [(7, 1), (7, 2), (7, 3)], "with the counts held back, in one batch");
    assert!(usage.pending.is_empty() && usage.tally.is_empty());
    assert_eq!((usage.isolate, usage.has_pending()), (9, false));
}

#[test]
fn batch_in_flight_is_kept_until_its_attempt_times_out() {
    let mut usage = UsageBuffer::default();
    count(&mut usage, 7);
    usage.close(9, NOW);
    let batch = usage.next_batch(7, NOW).unwrap();
    assert_eq!(
        (waiting(&usage), usage.has_pending(), usage.next_batch(7, NOW.plus(SEND_TIMEOUT - 1))),
        (1, true, None)
    );
    assert_eq!(usage.next_batch(7, NOW.plus(SEND_TIMEOUT)), Some(batch.clone()), "the sender was cancelled");
    assert_eq!(usage.next_batch(7, NOW.plus(-1)), Some(batch.clone()), "the clock was set back");
    usage.batch_sent(7, batch.sequence, true, NOW);
    // The sender that was believed lost returns.
    usage.batch_sent(7, batch.sequence, false, NOW);
    assert!(usage.pending.is_empty());
}

#[test]
fn hanging_workspace_does_not_delay_another() {
    let mut usage = UsageBuffer::default();
    for workspace in [7, 8] {
        count(&mut usage, workspace);
    }
    usage.close(9, NOW);
    assert_eq!(usage.due(NOW).collect::<BTreeSet<_>>(), [7, 8].into());
    let hanging = usage.next_batch(7, NOW).unwrap();
    assert!(usage.due(NOW).eq([8]));
    for second in 0..5 {
        let now = NOW.plus(second * SECOND);
        assert_eq!(send(&mut usage, 0, now).len(), 1, "after {second} s");
        count(&mut usage, 8);
        usage.close(9, now.plus(SECOND));
    }
    usage.batch_sent(7, hanging.sequence, true, NOW.plus(5 * SECOND));
    assert_eq!(send(&mut usage, 0, NOW.plus(5 * SECOND)).len(), 1);
    assert!(!usage.has_pending());
}

#[test]
fn failing_workspace_costs_another_no_batch() {
    let mut usage = UsageBuffer::default();
    let (mut dropped, mut now) = (0, NOW);
    for round in 0..500u64 {
        now = now.plus(SECOND);
        for workspace in [7, 8] {
            count(&mut usage, workspace);
        }
        dropped += usage.close(9, now);
        let all = send(&mut usage, 7, now);
        assert_eq!(all.iter().filter(|(workspace, _)| *workspace == 8).count(), 1, "round {round}");
    }
    assert_eq!(dropped, 0);
    // Nothing of the other is lost either, and all of it is sent once the vault accepts it.
    let more = usage.tally.is_empty();
    assert_eq!((more, waiting(&usage)), (false, 2));
    assert_eq!(send(&mut usage, 0, now.plus(SEND_TIMEOUT)).len(), BATCHES_AHEAD + 1);
    assert!(usage.tally.is_empty());
}

#[test]
fn full_buffer_drops_the_oldest_of_the_largest_workspace() {
    let mut usage = UsageBuffer::default();
    let fill = |usage: &mut UsageBuffer, workspace: u32, from: usize| {
        for number in from..from + BATCH_MAX {
            let key: Locator = format!("{number:016}").parse().unwrap();
            usage.tally.count(workspace, key, Code::Inactive, ScopeSet::EMPTY, None, NOW);
        }
        usage.close(9, NOW)
    };
    let room = WORKSPACE_CAPACITY / BATCH_MAX;
    assert_eq!((0..room).map(|round| fill(&mut usage, 7, round)).sum::<usize>(), 0);
    count(&mut usage, 8);
    assert_eq!(usage.close(9, NOW), 0);
    assert_eq!(fill(&mut usage, 7, 0), 1);
    assert_eq!(usage.pending[0].batches[0].sequence, 2, "the oldest was dropped");
    assert_eq!(usage.pending[1].batches.len(), 1, "a small workspace loses nothing");
    // Many workspaces, each within its own capacity.
    let dropped: usize =
        (9..17).flat_map(|workspace| [workspace; 10]).map(|workspace| fill(&mut usage, workspace, 0)).sum();
    assert_eq!(dropped, 11, "nine full workspaces exceed the capacity of eight");
    let all: usize = usage.pending.iter().map(PendingBatches::size).sum();
    assert!(all <= CAPACITY, "{all}");
    assert_eq!(usage.pending[1].batches.len(), 1);
}
