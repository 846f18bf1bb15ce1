//! New keys: a key passes at its first call in every location, while KV may report "not found" for
//! two minutes. It makes no difference if the record is already written there.

use crate::{figures::report, size::size};
use ownchat_domain::{record::kv_name, time::SECOND};
use ownchat_simulation::{EdgeClient, Load, VerifyRequest, World, WorldConfig};
use std::{sync::mpsc, thread};

const LOCATIONS: usize = 8;
const WORKSPACES: u32 = 4;

#[test]
fn a_new_key_passes_at_its_first_call_everywhere() {
    // A lower factor than elsewhere: eight edges on a busy machine must not time out.
    let settings = WorldConfig {
        load: Load::Quarters(3),
        edges: LOCATIONS,
        factor: 2.0,
        staleness: 120 * SECOND,
        ..WorldConfig::default()
    };
    let world = World::start(&settings);
    let mut admins: Vec<_> = (1..=WORKSPACES).map(|number| world.found(number)).collect();
    let count = size(100, 1_000);
    let mut names = Vec::new();
    let refused: Vec<String> = thread::scope(|scope| {
        let (senders, callers): (Vec<_>, Vec<_>) = world
            .callers()
            .into_iter()
            .map(|caller| {
                let (sender, made) = mpsc::channel();
                (sender, scope.spawn(move || call(caller, &made)))
            })
            .unzip();
        for number in 0..count {
            let place = number % admins.len();
            let made = admins[place].make("New", &["contacts:read"]);
            names.push(kv_name(made.id()));
            let request = VerifyRequest::of(&made.token);
            for sender in &senders {
                sender.send(request.clone()).unwrap();
            }
        }
        drop(senders);
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    let absent = world.kv.counts().absent;
    // Each key was written once, so a stale read is a "not found".
    let denied: u64 = names.iter().map(|name| world.kv.stale_reads_of(name)).sum();
    let found = format!(
        "{count} in {LOCATIONS} locations: {} of {} first calls passed; KV said {absent} times that there is no such key, \
         {denied} times after it had been written",
        count * LOCATIONS - refused.len(),
        count * LOCATIONS,
    );
    report("new keys", &found);
    assert!(refused.is_empty(), "{refused:?}");
    assert!(denied > 0, "KV knew every key that had been written: nothing was shown");
}

/// Calls with each key as soon as it exists, and returns all codes but `VALID`.
fn call(mut caller: EdgeClient, made: &mpsc::Receiver<VerifyRequest>) -> Vec<String> {
    made.iter().map(|request| caller.code(&request)).filter(|code| code != "VALID").collect()
}
