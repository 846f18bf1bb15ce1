//! Storage of a meter: every lease is stored before it is returned.
//!
//! A request that changes nothing writes nothing, such as a refusal or a repeated return of
//! permits.
//!
//! Permits are not reserved ahead in blocks, though that would save most writes of a busy key. The
//! runtime ends an object without notice, after some idle seconds as well as by a crash. Reserved
//! permits would then be lost: those of a rate for one window, those of a quota until its period
//! ends. A quota of 500 could not be used up exactly. The holders of leases would be lost too, so
//! no unused permit could be returned. A busy isolate sends one request per lease, which is one
//! write every two seconds.

use crate::{
    database::{Database, DatabaseResult},
    migrate::{is_new, migrate},
};
use ownchat_domain::{
    meter::{LeaseRequest, LeaseResponse, MeterState, Outlook},
    time::Timestamp,
    vault::meter::LookAhead,
};

/// Migrates existing tables.
pub fn apply(database: &impl Database) -> DatabaseResult<()> {
    if is_new(database)? { Ok(()) } else { create_tables(database) }
}

/// Creates the tables, with the first row. An object that was never used, or was cleared, stores
/// nothing.
fn create_tables(database: &impl Database) -> DatabaseResult<()> {
    migrate(database, &[FIRST])
}

const FIRST: &[&str] = &["CREATE TABLE meter (id INTEGER PRIMARY KEY CHECK (id = 1), state BLOB NOT NULL)"];

/// Leases permits, or refuses.
pub fn take(database: &impl Database, request: &LeaseRequest, now: Timestamp) -> DatabaseResult<LeaseResponse> {
    let stored = read(database)?;
    let is_first = stored.is_none();
    let mut meter = stored.unwrap_or_default();
    let taken = meter.take(request, now);
    if is_first && meter.has_changed() {
        create_tables(database)?;
    }
    write(database, &meter)?;
    Ok(taken)
}

/// Accepts the next record, whatever its version.
pub fn accept_any_version(database: &impl Database) -> DatabaseResult<()> {
    let Some(mut meter) = read(database)? else { return Ok(()) };
    meter.believe_anew();
    write(database, &meter)
}

/// Returns the outcome that a request would have, without counting it.
pub fn peek(database: &impl Database, command: &LookAhead, now: Timestamp) -> DatabaseResult<Outlook> {
    Ok(read(database)?.unwrap_or_default().look(command.limits, command.version, command.cost, now))
}

/// Stores the meter if it has changed.
fn write(database: &impl Database, meter: &MeterState) -> DatabaseResult<()> {
    if meter.has_changed() {
        database.run(
            "INSERT INTO meter (id, state) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
            &[meter.encode()?.as_slice().into()],
        )?;
    }
    Ok(())
}

/// Reads the stored meter, if there is one.
fn read(database: &impl Database) -> DatabaseResult<Option<MeterState>> {
    // The runtime logs each failed statement with its stack.
    if is_new(database)? {
        return Ok(None);
    }
    let Some(mut row) = database.first("SELECT state FROM meter", &[])? else { return Ok(None) };
    Ok(Some(MeterState::decode(&row.blob()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::MemoryDatabase;
    use ownchat_domain::{
        limit::{Limits, Period, Quota},
        meter::{NAMED, ReturnedPermits},
    };

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn request(need: u32) -> LeaseRequest {
        let limits = Limits { rate: None, quota: Some(Quota { limit: 3, period: Period::Day }) };
        LeaseRequest { limits, version: 1, need, ..LeaseRequest::default() }
    }

    #[test]
    fn granted_permits_are_stored() {
        let database = MemoryDatabase::open();
        let passed =
            (0..5).filter(|_| matches!(take(&database, &request(1), NOW), Ok(LeaseResponse::Lease(_)))).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn a_refused_request_writes_nothing() {
        let database = MemoryDatabase::open();
        let written = || database.first("SELECT total_changes()", &[]).unwrap().unwrap().integer().unwrap();
        take(&database, &request(3), NOW).unwrap();
        let before = written();
        assert!(matches!(take(&database, &request(1), NOW.plus(5)), Ok(LeaseResponse::Refused(_))));
        assert_eq!(written(), before, "a refusal");
        take(&database, &request(1), Period::Day.end(NOW)).unwrap();
        assert_eq!(written(), before + 1);
    }

    #[test]
    fn a_peek_writes_nothing() {
        let database = MemoryDatabase::open();
        let command = LookAhead { limits: request(0).limits, version: 1, cost: 1 };
        let left = || peek(&database, &command, NOW).unwrap();
        assert_eq!((left().standing.quota.unwrap().permits, left().refusal), (3, None));
        assert!(is_new(&database).unwrap());
        take(&database, &request(3), NOW).unwrap();
        assert!(left().refusal.is_some_and(|refusal| refusal.by_quota));
        assert!(matches!(take(&database, &request(0), NOW), Ok(LeaseResponse::Lease(_))));
    }

    #[test]
    fn a_cleared_meter_starts_over() {
        let database = MemoryDatabase::open();
        apply(&database).unwrap();
        assert!(is_new(&database).unwrap(), "it was never used");
        take(&database, &request(3), NOW).unwrap();
        apply(&database).unwrap();
        for table in ["meter", "schema"] {
            database.run(&format!("DROP TABLE {table}"), &[]).unwrap();
        }
        assert!(matches!(take(&database, &request(3), NOW), Ok(LeaseResponse::Lease(_))));
        assert!(matches!(take(&database, &request(1), NOW), Ok(LeaseResponse::Refused(_))));
    }

    #[test]
    fn usage_survives_the_acceptance_of_any_version() {
        let database = MemoryDatabase::open();
        accept_any_version(&database).unwrap();
        assert!(is_new(&database).unwrap(), "it stores nothing");
        assert!(matches!(
            take(&database, &LeaseRequest { version: 9, ..request(2) }, NOW),
            Ok(LeaseResponse::Lease(_))
        ));
        let wider = Limits { quota: Some(Quota { limit: 9, period: Period::Day }), ..Limits::default() };
        let wider = LeaseRequest { limits: wider, version: 3, ..request(2) };
        assert!(matches!(take(&database, &wider, NOW), Ok(LeaseResponse::Refused(_))), "the older version is refused");
        accept_any_version(&database).unwrap();
        let left = |taken| {
            if let LeaseResponse::Lease(lease) = taken { lease.standing.quota.map(|rest| rest.permits) } else { None }
        };
        assert_eq!(take(&database, &wider, NOW).map(left), Ok(Some(5)), "of 9, after 2 and 2");
        let written = || database.first("SELECT total_changes()", &[]).unwrap().unwrap().integer().unwrap();
        accept_any_version(&database).unwrap();
        let before = written();
        accept_any_version(&database).unwrap();
        assert_eq!(written(), before, "a second reset writes nothing");
    }

    #[test]
    fn a_cleared_meter_ignores_returned_permits() {
        let database = MemoryDatabase::open();
        let before = LeaseRequest {
            version: 9,
            need: 0,
            unused: vec![ReturnedPermits { lease: NAMED + 1, permits: 2 }],
            ..request(0)
        };
        assert!(matches!(take(&database, &before, NOW), Ok(LeaseResponse::Lease(_))));
        assert!(is_new(&database).unwrap(), "it stores nothing");
        assert!(matches!(take(&database, &request(4), NOW), Ok(LeaseResponse::Refused(_))));
        assert!(matches!(take(&database, &request(3), NOW), Ok(LeaseResponse::Lease(_))));
    }
}
