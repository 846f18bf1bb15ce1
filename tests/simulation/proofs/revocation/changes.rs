//! Narrowing changes, as an admin makes them.

use super::kinds::NarrowedKey;
use ownchat_domain::{
    digest::SecretHash,
    failure::Failure,
    time::{DAY, SECOND, Timestamp},
    vault::{
        Outcome,
        registry::{ChangeKey, ChangeSettings, Changed, DeleteKey, EndOldSecrets, ReadSettings, RotateKey},
    },
};
use ownchat_runtime::{Admin, Made, secret};
use ownchat_simulation::World;
use serde_json::{Value, json};

/// The effective time of the change, if the vault announces one.
pub type ChangeOutcome = Outcome<Option<Timestamp>>;

/// Patches the key.
pub fn edit(world: &World, subject: &NarrowedKey, patch: Value) -> ChangeOutcome {
    let mut admin = admin(world, subject);
    let patch = serde_json::from_value(patch).unwrap();
    let (id, version) = (subject.key.id(), subject.key.key.version);
    admin.ask(&ChangeKey { origin: admin.origin(), id, version, patch }).unwrap().map(told)
}

/// Sets the earliest expiry that is still in the future when the vault gets it.
pub fn expire(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    let end = |seconds| world.clock.now().plus(seconds * SECOND).rfc3339();
    let mut attempts = (1..).map(|seconds| edit(world, subject, json!({"expires_at": end(seconds)})));
    attempts.find(|outcome| !matches!(outcome, Err(Failure::Invalid { .. }))).unwrap()
}

pub fn put_off(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    edit(world, subject, json!({"not_before": world.clock.now().plus(30 * DAY).rfc3339()}))
}

pub fn delete(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    let mut admin = admin(world, subject);
    let (id, version) = (subject.key.id(), subject.key.key.version);
    admin.ask(&DeleteKey { origin: admin.origin(), id, version }).unwrap().map(told)
}

pub fn rotate(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    give_a_secret(&mut admin(world, subject), &subject.key, 0).map(told)
}

/// Rotates the key, with this overlap of the old secret.
pub fn give_a_secret(admin: &mut Admin, made: &Made, overlap_seconds: u32) -> Outcome<Changed> {
    let (id, version, secret) = (made.id(), made.key.version, SecretHash::of(&secret()));
    let call =
        RotateKey { origin: admin.origin(), id, version, overlap_seconds, end_earlier: true, secret, once: None };
    admin.ask(&call).unwrap()
}

/// Rotates with an overlap that lasts longer than the change takes to arrive everywhere.
pub fn rotate_with_overlap(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    give_a_secret(&mut admin(world, subject), &subject.key, OVERLAP_SECONDS).map(told)
}

/// Overlap of the old secret, in seconds.
pub const OVERLAP_SECONDS: u32 = 8;

pub fn end_old_secrets(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    let mut admin = admin(world, subject);
    let id = subject.key.id();
    admin.ask(&EndOldSecrets { origin: admin.origin(), id }).unwrap().map(told)
}

pub fn suspend(world: &World, subject: &NarrowedKey) -> ChangeOutcome {
    let mut admin = admin(world, subject);
    let settings = admin.ask(&ReadSettings { caller: admin.person.into() }).unwrap()?;
    let call = ChangeSettings {
        origin: admin.origin(),
        version: settings.version,
        suspended: Some(true),
        outage_seconds: None,
        reason: None,
    };
    admin.ask(&call).unwrap().map(|changed| changed.effective_at)
}

/// The admin of the key's workspace.
pub fn admin(world: &World, subject: &NarrowedKey) -> Admin {
    Admin::of(world.vault(), subject.workspace)
}

#[allow(clippy::needless_pass_by_value, reason = "what an answer is mapped by")]
fn told(changed: Changed) -> Option<Timestamp> {
    changed.effective_at
}
