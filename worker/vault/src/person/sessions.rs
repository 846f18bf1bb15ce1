//! Sessions: opened by signing in, extended by use, ended by a timeout or by signing out.

use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    account::{PersonId, SessionHash},
    failure::Failure,
    time::{HOUR, MINUTE, Timestamp},
    vault::{
        person::{EndSession, Identity, OpenSession, ReportSessionEvent, Resume},
        registry,
    },
};

/// Idle timeout of a session, in milliseconds.
pub const IDLE: i64 = 30 * MINUTE;
/// Absolute timeout of a session, in milliseconds.
pub const ABSOLUTE: i64 = 12 * HOUR;
/// Most sessions of one account. Opening another evicts the least recently used one.
const SESSIONS_MAX: usize = 20;
/// A session's last use is written at most once per interval, in milliseconds.
const TOUCH_INTERVAL: i64 = MINUTE;

/// Opens a session, and deletes expired ones.
pub fn open(database: &impl Database, command: &OpenSession, now: Timestamp) -> CommandResult<()> {
    database.transaction(|| {
        database.run(
            "DELETE FROM sessions WHERE seen_at <= ? OR opened_at <= ?",
            &[now.plus(-IDLE).millis().into(), now.plus(-ABSOLUTE).millis().into()],
        )?;
        database.run(
            "INSERT INTO sessions (hash, opened_at, seen_at, address) VALUES (?, ?, ?, ?)",
            &[key(command.session), now.millis().into(), now.millis().into(), command.address.as_str().into()],
        )?;
        database.run(
            &format!(
                "DELETE FROM sessions WHERE hash NOT IN \
                 (SELECT hash FROM sessions ORDER BY hash = ? DESC, seen_at DESC LIMIT {SESSIONS_MAX})"
            ),
            &[key(command.session)],
        )?;
        Ok(())
    })
}

/// Returns the person of a valid session, and extends it.
pub fn resume(database: &impl Database, command: &Resume, now: Timestamp) -> CommandResult<Identity> {
    let (identity, seen_at) = find(database, command.session, now)?;
    if now.since(seen_at) >= TOUCH_INTERVAL {
        database.run("UPDATE sessions SET seen_at = ? WHERE hash = ?", &[now.millis().into(), key(command.session)])?;
    }
    Ok(identity)
}

/// Finds a valid session: its person, and the time of its last use.
fn find(database: &impl Database, session: SessionHash, now: Timestamp) -> CommandResult<(Identity, Timestamp)> {
    let row = database.first(
        "SELECT seen_at, name, email, workspace, workspace_name FROM sessions, account \
         WHERE hash = ? AND seen_at > ? AND opened_at > ?",
        &[key(session), now.plus(-IDLE).millis().into(), now.plus(-ABSOLUTE).millis().into()],
    )?;
    let mut row = row.ok_or(Failure::NotSignedIn)?;
    let seen_at = Timestamp::from_millis(row.integer()?);
    let identity = Identity {
        name: row.text()?,
        email: row.text()?,
        workspace: u32::try_from(row.integer()?).map_err(|_| Failure::Unavailable)?,
        workspace_name: row.text()?,
    };
    Ok((identity, seen_at))
}

/// Returns the workspace and the event to log there.
///
/// # Errors
///
/// Fails for an invalid session.
pub fn to_registry_event(
    database: &impl Database,
    person: PersonId,
    command: &ReportSessionEvent,
    now: Timestamp,
) -> CommandResult<(u32, registry::RecordSessionEvent)> {
    let workspace = if let Some(session) = command.session {
        // A refused request does not extend the session.
        find(database, session, now)?.0.workspace
    } else {
        let row = database.first("SELECT workspace FROM account", &[])?;
        let number = row.ok_or(Failure::NotSignedIn)?.integer()?;
        u32::try_from(number).map_err(|_| Failure::Unavailable)?
    };
    let (address, request_id) = (command.address.clone(), command.request_id.clone());
    Ok((workspace, registry::RecordSessionEvent { person, action: command.action, address, request_id }))
}

/// Ends a session.
pub fn end(database: &impl Database, command: &EndSession) -> CommandResult<()> {
    database.run("DELETE FROM sessions WHERE hash = ?", &[key(command.session)])?;
    Ok(())
}

fn key(session: SessionHash) -> crate::database::SqlValue {
    session.as_bytes().as_slice().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        database::memory::MemoryDatabase,
        person::{account, schema},
    };
    use ownchat_domain::{
        account::{PersonId, SessionToken},
        audit::Action,
        vault::person::CreateAccount,
    };

    const START: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn hash(secret: u8) -> SessionHash {
        SessionToken::new(PersonId(1), [secret; 16]).hash()
    }

    fn signed_in() -> MemoryDatabase {
        let database = MemoryDatabase::open();
        schema::apply(&database).unwrap();
        let found = CreateAccount {
            name: "Ada".into(),
            email: "a@b.c".into(),
            password: "$argon2id$".into(),
            workspace: 7,
            workspace_name: "Shop".into(),
        };
        account::create(&database, &found).unwrap();
        open(&database, &OpenSession { session: hash(1), address: "127.0.0.1".into() }, START).unwrap();
        database
    }

    fn at(database: &MemoryDatabase, millis: i64) -> CommandResult<String> {
        resume(database, &Resume { session: hash(1) }, START.plus(millis)).map(|identity| identity.name)
    }

    #[test]
    fn a_used_session_lasts_until_its_absolute_timeout() {
        let database = signed_in();
        let mut elapsed = 0;
        while elapsed < ABSOLUTE {
            assert_eq!(at(&database, elapsed), Ok("Ada".into()), "{elapsed}");
            elapsed += IDLE - TOUCH_INTERVAL;
        }
        assert_eq!(at(&database, ABSOLUTE), Err(Failure::NotSignedIn.into()));
    }

    #[test]
    fn an_idle_session_ends() {
        let database = signed_in();
        assert!(at(&database, IDLE - 1).is_ok());
        let idle = signed_in();
        assert_eq!(at(&idle, IDLE), Err(Failure::NotSignedIn.into()));
    }

    #[test]
    fn an_account_has_a_bounded_number_of_sessions() {
        let database = signed_in();
        let is_good = |secret: u8, now: Timestamp| resume(&database, &Resume { session: hash(secret) }, now).is_ok();
        for secret in 2..=21 {
            let now = START.plus(i64::from(secret) * MINUTE);
            assert!(is_good(1, now), "the first is in steady use");
            open(&database, &OpenSession { session: hash(secret), address: "127.0.0.1".into() }, now).unwrap();
        }
        let now = START.plus(22 * MINUTE);
        assert!(is_good(1, now) && is_good(21, now) && is_good(3, now));
        assert!(!is_good(2, now), "it is the least recently used");
        // A clock that was set back locks nobody out.
        open(&database, &OpenSession { session: hash(22), address: "127.0.0.1".into() }, START).unwrap();
        assert!(is_good(22, START));
    }

    #[test]
    fn an_invalid_session_logs_no_event() {
        let database = signed_in();
        let note = |session| {
            let (address, request_id) = ("192.0.2.1".to_owned(), "r1".to_owned());
            let command = ReportSessionEvent { action: Action::SignOut, session, address, request_id };
            to_registry_event(&database, PersonId(1), &command, START)
                .map(|(workspace, event)| (workspace, event.person))
        };
        assert_eq!(note(Some(hash(1))), Ok((7, PersonId(1))));
        assert_eq!(note(None), Ok((7, PersonId(1))));
        assert_eq!(note(Some(hash(2))), Err(Failure::NotSignedIn.into()));
    }

    #[test]
    fn a_foreign_or_ended_session_is_refused() {
        let database = signed_in();
        let foreign = resume(&database, &Resume { session: hash(2) }, START);
        assert_eq!(foreign, Err(Failure::NotSignedIn.into()));
        end(&database, &EndSession { session: hash(1) }).unwrap();
        assert_eq!(at(&database, 1), Err(Failure::NotSignedIn.into()));
    }
}
