//! Schedule of the periodic tasks of a workspace, with retry and back-off.

use super::{kv_outbox::BACK_OFF_MAX, rows::time};
use crate::database::{Database, DatabaseResult};
use ownchat_domain::{back_off::back_off, time::Timestamp};

/// A periodic task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduledTask {
    /// Deletes keys for good.
    Purge,
    /// Compares KV with the registry.
    Sweep,
}

impl ScheduledTask {
    const fn name(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Sweep => "sweep",
        }
    }
}

/// Schedule of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Earliest time of the next run.
    pub due_at: Timestamp,
    /// Failures since the last success.
    pub attempts: i64,
}

/// Reads the schedule of a task. One that never ran is due at once.
pub fn schedule(database: &impl Database, task: ScheduledTask) -> DatabaseResult<Schedule> {
    let row = database.first("SELECT due_at, attempts FROM chores WHERE name = ?", &[task.name().into()])?;
    let Some(mut row) = row else { return Ok(Schedule::default()) };
    Ok(Schedule { due_at: Timestamp::from_millis(row.integer()?), attempts: row.integer()? })
}

/// Records a success; the next run is at `next`.
pub fn succeeded(database: &impl Database, task: ScheduledTask, next: Timestamp) -> DatabaseResult<()> {
    set(database, task, Schedule { due_at: next, attempts: 0 })
}

/// Records a failure; the retry backs off.
pub fn failed(database: &impl Database, task: ScheduledTask, now: Timestamp) -> DatabaseResult<()> {
    let attempts = schedule(database, task)?.attempts;
    set(database, task, Schedule { due_at: now.plus(back_off(attempts, BACK_OFF_MAX)), attempts: attempts + 1 })
}

/// Progress of a task that passes over all keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Start of the pass.
    pub begun_at: Timestamp,
    /// Number of the last key that was processed; 0 between two passes.
    pub after: i64,
}

/// Reads the progress of a task.
pub fn progress(database: &impl Database, task: ScheduledTask) -> DatabaseResult<Progress> {
    let row = database.first("SELECT begun_at, after FROM chores WHERE name = ?", &[task.name().into()])?;
    let Some(mut row) = row else { return Ok(Progress::default()) };
    Ok(Progress { begun_at: Timestamp::from_millis(row.integer()?), after: row.integer()? })
}

/// Stores the progress of a task.
pub fn set_progress(database: &impl Database, task: ScheduledTask, progress: Progress) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO chores (name, due_at, begun_at, after) VALUES (?, 0, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET begun_at = excluded.begun_at, after = excluded.after",
        &[task.name().into(), time(progress.begun_at), progress.after.into()],
    )?;
    Ok(())
}

fn set(database: &impl Database, task: ScheduledTask, schedule: Schedule) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO chores (name, due_at, attempts) VALUES (?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts",
        &[task.name().into(), time(schedule.due_at), schedule.attempts.into()],
    )?;
    Ok(())
}
