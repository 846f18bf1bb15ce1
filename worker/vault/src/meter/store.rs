//! The meter in its store. What was handed out is written down before it is handed out.

use crate::{
    database::{Database, DatabaseError, Stored},
    migrate::migrate,
};
use ownchat_domain::{
    meter::{Meter, Take, Taken},
    time::Timestamp,
};

/// Makes the tables that are missing.
pub fn apply(database: &impl Database) -> Stored<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &["CREATE TABLE meter (id INTEGER PRIMARY KEY CHECK (id = 1), state BLOB NOT NULL)"];

/// Hands out permits, or says why not.
pub fn take(database: &impl Database, ask: &Take, now: Timestamp) -> Stored<Taken> {
    let mut meter = read(database)?;
    let taken = meter.take(ask, now);
    database.run(
        "INSERT INTO meter (id, state) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        &[meter.encode().as_slice().into()],
    )?;
    Ok(taken)
}

fn read(database: &impl Database) -> Stored<Meter> {
    match database.first("SELECT state FROM meter", &[])? {
        Some(mut row) => Meter::decode(&row.blob()?).ok_or_else(|| DatabaseError("not the state of a meter".into())),
        None => Ok(Meter::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::Memory;
    use ownchat_domain::limit::{Limits, Period, Quota};

    #[test]
    fn what_was_handed_out_is_remembered() {
        let database = Memory::open();
        apply(&database).unwrap();
        let limits = Limits { rate: None, quota: Some(Quota { limit: 3, period: Period::Day }) };
        let ask = Take { limits, version: 1, need: 1, spare: 0, unused: Vec::new(), name: 0 };
        let now = Timestamp::from_millis(1_795_452_408_000);
        let passed = (0..5).filter(|_| matches!(take(&database, &ask, now), Ok(Taken::Lease(_)))).count();
        assert_eq!(passed, 3);
    }
}
