//! What the vault does by itself, now and then: when each chore is due, and waiting longer after each failure.

use super::{outbox::back_off, rows::time};
use crate::database::{Database, DatabaseResult};
use ownchat_domain::time::Timestamp;

/// Something that the vault does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Removing for good what was deleted long ago.
    Purge,
    /// Looking whether KV has what it should have.
    Sweep,
}

impl Chore {
    const fn name(self) -> &'static str {
        match self {
            Self::Purge => "purge",
            Self::Sweep => "sweep",
        }
    }
}

/// How a chore stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Not before this moment.
    pub due_at: Timestamp,
    /// How often it has failed since it last went well.
    pub attempts: i64,
}

/// How a chore stands; one that was never done is due at once.
pub fn standing(database: &impl Database, chore: Chore) -> DatabaseResult<Standing> {
    let row = database.first("SELECT due_at, attempts FROM chores WHERE name = ?", &[chore.name().into()])?;
    let Some(mut row) = row else { return Ok(Standing::default()) };
    Ok(Standing { due_at: Timestamp::from_millis(row.integer()?), attempts: row.integer()? })
}

/// It went well; it is not done again before `next`.
pub fn done(database: &impl Database, chore: Chore, next: Timestamp) -> DatabaseResult<()> {
    set(database, chore, Standing { due_at: next, attempts: 0 })
}

/// It went wrong; it is tried again later, and later each time.
pub fn failed(database: &impl Database, chore: Chore, now: Timestamp) -> DatabaseResult<()> {
    let attempts = standing(database, chore)?.attempts;
    set(database, chore, Standing { due_at: now.plus(back_off(attempts)), attempts: attempts + 1 })
}

/// Where a chore is that goes through all keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// When the round began.
    pub begun_at: Timestamp,
    /// Number of the last key that it has dealt with; 0 between two rounds.
    pub after: i64,
}

/// Where the chore is.
pub fn round(database: &impl Database, chore: Chore) -> DatabaseResult<Round> {
    let row = database.first("SELECT begun_at, after FROM chores WHERE name = ?", &[chore.name().into()])?;
    let Some(mut row) = row else { return Ok(Round::default()) };
    Ok(Round { begun_at: Timestamp::from_millis(row.integer()?), after: row.integer()? })
}

/// Notes where the chore is.
pub fn set_round(database: &impl Database, chore: Chore, round: Round) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO chores (name, due_at, begun_at, after) VALUES (?, 0, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET begun_at = excluded.begun_at, after = excluded.after",
        &[chore.name().into(), time(round.begun_at), round.after.into()],
    )?;
    Ok(())
}

fn set(database: &impl Database, chore: Chore, standing: Standing) -> DatabaseResult<()> {
    database.run(
        "INSERT INTO chores (name, due_at, attempts) VALUES (?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts",
        &[chore.name().into(), time(standing.due_at), standing.attempts.into()],
    )?;
    Ok(())
}
