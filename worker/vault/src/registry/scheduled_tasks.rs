//! What the vault does by itself, now and then: when each task is due, and waiting longer after each failure.

use super::{kv_outbox::back_off, rows::time};
use crate::database::{Database, DatabaseResult};
use ownchat_domain::time::Timestamp;

/// Something that the vault does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduledTask {
    /// Removing for good what was deleted long ago.
    Purge,
    /// Looking whether KV has what it should have.
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

/// How a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Not before this moment.
    pub due_at: Timestamp,
    /// How often it has failed since it last went well.
    pub attempts: i64,
}

/// How a task stands; one that was never done is due at once.
pub fn schedule(database: &impl Database, task: ScheduledTask) -> DatabaseResult<Schedule> {
    let row = database.first("SELECT due_at, attempts FROM chores WHERE name = ?", &[task.name().into()])?;
    let Some(mut row) = row else { return Ok(Schedule::default()) };
    Ok(Schedule { due_at: Timestamp::from_millis(row.integer()?), attempts: row.integer()? })
}

/// It went well; it is not done again before `next`.
pub fn succeeded(database: &impl Database, task: ScheduledTask, next: Timestamp) -> DatabaseResult<()> {
    set(database, task, Schedule { due_at: next, attempts: 0 })
}

/// It went wrong; it is tried again later, and later each time.
pub fn failed(database: &impl Database, task: ScheduledTask, now: Timestamp) -> DatabaseResult<()> {
    let attempts = schedule(database, task)?.attempts;
    set(database, task, Schedule { due_at: now.plus(back_off(attempts)), attempts: attempts + 1 })
}

/// Where a task is that goes through all keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// When the progress began.
    pub begun_at: Timestamp,
    /// Number of the last key that it has dealt with; 0 between two rounds.
    pub after: i64,
}

/// Where the task is.
pub fn progress(database: &impl Database, task: ScheduledTask) -> DatabaseResult<Progress> {
    let row = database.first("SELECT begun_at, after FROM chores WHERE name = ?", &[task.name().into()])?;
    let Some(mut row) = row else { return Ok(Progress::default()) };
    Ok(Progress { begun_at: Timestamp::from_millis(row.integer()?), after: row.integer()? })
}

/// Notes where the task is.
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
