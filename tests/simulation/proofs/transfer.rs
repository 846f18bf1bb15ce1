//! Import of a large workspace in a single turn of its Durable Object.

use crate::{figures::report, size::size};
use ownchat_domain::vault::transfer::{FinishImport, StageImport};
use ownchat_runtime::Admin;
use ownchat_simulation::{Load, World, WorldConfig};
use std::thread;

#[test]
fn a_large_workspace_is_read_in_whole() {
    let keys = size(1_000, 50_000);
    let file = file(keys);
    let bytes: usize = file.iter().map(|line| line.len() + 1).sum();
    let world = World::start(&WorldConfig { load: Load::Quarters(4), factor: 1.0, ..WorldConfig::default() });
    let mut admin = world.found(1);
    let before = world.memory();
    let begun = world.clock.now();
    for (first, lines) in (1..).step_by(100).zip(file.chunks(100)) {
        let call = StageImport { origin: admin.origin(), first, lines: lines.to_vec() };
        admin.ask(&call).unwrap().unwrap();
    }
    let staged = (world.clock.now().since(begun), world.memory());
    let begun = world.clock.now();
    let imported = admin.ask(&FinishImport { origin: admin.origin() }).unwrap().unwrap();
    let (took, after) = (world.clock.now().since(begun), world.memory());
    assert_eq!(imported.keys, u64::try_from(keys).unwrap());
    assert_eq!(admin.export(), file, "byte for byte");
    let found = format!(
        "a file of {} KiB; put aside in {} ms, read in in one turn of {} ms; the process has {} MiB before, {} MiB with the file put \
         aside and {} MiB afterwards",
        bytes / 1_024,
        staged.0,
        took,
        before >> 20,
        staged.1 >> 20,
        after >> 20
    );
    report(&format!("import of {keys} keys"), &found);
}

/// Exports a workspace with this many keys.
fn file(keys: usize) -> Vec<String> {
    let world = World::start(&WorldConfig::default());
    let mut admin = world.found(1);
    thread::scope(|scope| {
        for share in 0..4 {
            let vault = world.vault();
            scope.spawn(move || {
                let mut admin = Admin::of(vault, 1);
                for number in (share..keys).step_by(4) {
                    admin.make(&format!("Key {number}"), &["contacts:read", "messages:send"]);
                }
            });
        }
    });
    admin.export()
}
