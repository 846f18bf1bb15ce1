//! First-time setup: the first request with the setup token becomes the owner.

use super::sign_in_throttle;
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    time::{MINUTE, Timestamp},
    vault::instance::SetUp,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The setup token is valid for this long after a start, in milliseconds.
const LIFETIME: i64 = 15 * MINUTE;

pub const FIRST_WORKSPACE: u32 = 1;

/// The setup token of this start of the deployment.
pub struct SetupToken {
    token: [u8; 32],
    started_at: Timestamp,
}

impl SetupToken {
    /// `started_at` is in milliseconds since the epoch; any other text makes the token invalid.
    pub fn new(token: &str, started_at: &str) -> Self {
        let started_at = started_at.parse().ok().filter(|_| !token.is_empty()).unwrap_or(0);
        Self { token: Sha256::digest(token).into(), started_at: Timestamp::from_millis(started_at) }
    }

    fn accepts(&self, token: &str, now: Timestamp) -> bool {
        let presented: [u8; 32] = Sha256::digest(token).into();
        bool::from(presented.ct_eq(&self.token)) && (0..LIFETIME).contains(&now.since(self.started_at))
    }
}

/// A claimed setup whose objects are still to be created.
#[derive(Debug, PartialEq, Eq)]
pub struct PendingSetup {
    pub person: PersonId,
    pub name: String,
    pub email: String,
    /// PHC string.
    pub password: String,
    pub workspace: u32,
    pub workspace_name: String,
}

/// Returns true if setup was claimed.
pub fn is_set_up(database: &impl Database) -> CommandResult<bool> {
    Ok(database.first("SELECT 1 FROM setup", &[])?.is_some())
}

/// Checks a setup token. Wrong tokens are throttled.
///
/// # Errors
///
/// 404 once setup was claimed; forbidden for a wrong token; too many requests while throttled.
pub fn check(
    database: &impl Database,
    expected: &SetupToken,
    token: &str,
    client_ip: &str,
    now: Timestamp,
) -> CommandResult<()> {
    if is_set_up(database)? {
        return Err(Failure::NotFound.into());
    }
    // An empty token is no guess: the sign-in page sends it to find out if setup is open.
    if token.is_empty() {
        return Err(Failure::Forbidden.into());
    }
    let counters = sign_in_throttle::setup_counters(client_ip);
    sign_in_throttle::check(database, &counters, now)?;
    if expected.accepts(token, now) {
        return Ok(());
    }
    sign_in_throttle::count_failure(database, counters, now)?;
    Err(Failure::Forbidden.into())
}

/// Claims setup; the first valid claim becomes the owner.
pub fn claim(
    database: &impl Database,
    expected: &SetupToken,
    command: &SetUp,
    person: PersonId,
    now: Timestamp,
) -> CommandResult<PersonId> {
    // Outside the transaction, which would roll back the count of a wrong token.
    check(database, expected, &command.token, &command.address, now)?;
    database.transaction(|| {
        database.run(
            "INSERT INTO setup (id, person, name, email, password, workspace, workspace_name, claimed_at) \
             VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
            &[
                person.to_string().into(),
                command.name.as_str().into(),
                command.email.as_str().into(),
                command.password.as_str().into(),
                FIRST_WORKSPACE.into(),
                command.workspace.as_str().into(),
                now.millis().into(),
            ],
        )?;
        database.run(
            "INSERT INTO accounts (email, person) VALUES (?, ?)",
            &[command.email.as_str().into(), person.to_string().into()],
        )?;
        Ok(person)
    })
}

/// Returns the claimed setup whose objects are still to be created, if any.
pub fn pending(database: &impl Database) -> CommandResult<Option<PendingSetup>> {
    let row = database.first(
        "SELECT person, name, email, password, workspace, workspace_name FROM setup WHERE password IS NOT NULL",
        &[],
    )?;
    let Some(mut row) = row else { return Ok(None) };
    Ok(Some(PendingSetup {
        person: row.text()?.parse().map_err(|()| Failure::Unavailable)?,
        name: row.text()?,
        email: row.text()?,
        password: row.text()?,
        workspace: u32::try_from(row.integer()?).map_err(|_| Failure::Unavailable)?,
        workspace_name: row.text()?,
    }))
}

/// Completes setup: the account has the password hash, so it is deleted here.
pub fn complete(database: &impl Database) -> CommandResult<()> {
    database.run("UPDATE setup SET password = NULL", &[])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::memory::MemoryDatabase, instance::schema};

    const START: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn fresh() -> (MemoryDatabase, SetupToken) {
        let database = MemoryDatabase::open();
        schema::apply(&database).unwrap();
        (database, SetupToken::new("token", "1000000000"))
    }

    fn command(token: &str, email: &str) -> SetUp {
        SetUp {
            token: token.into(),
            address: "192.0.2.1".into(),
            name: "Ada".into(),
            email: email.into(),
            password: "$argon2id$hash".into(),
            workspace: "Shop".into(),
        }
    }

    #[test]
    fn only_the_first_claim_becomes_the_owner() {
        let (database, expected) = fresh();
        assert_eq!(claim(&database, &expected, &command("token", "a@b.c"), PersonId(1), START), Ok(PersonId(1)));
        let second = claim(&database, &expected, &command("token", "d@e.f"), PersonId(2), START);
        assert_eq!(second, Err(Failure::NotFound.into()));
        assert_eq!(pending(&database).unwrap().unwrap().email, "a@b.c");
    }

    #[test]
    fn a_wrong_or_old_token_is_refused_and_changes_nothing() {
        let (database, expected) = fresh();
        for (token, now) in [("Token", START), ("", START), ("token", START.plus(LIFETIME)), ("token", START.plus(-1))]
        {
            assert_eq!(
                claim(&database, &expected, &command(token, "a@b.c"), PersonId(1), now),
                Err(Failure::Forbidden.into())
            );
        }
        assert_eq!(is_set_up(&database), Ok(false));
        assert_eq!(check(&database, &expected, "token", "192.0.2.1", START.plus(LIFETIME - 1)), Ok(()));
    }

    #[test]
    fn wrong_tokens_are_throttled_per_network() {
        let (database, expected) = fresh();
        let from = |address: &str, token: &str| check(&database, &expected, token, address, START);
        for _ in 0..10 {
            assert_eq!(from("192.0.2.1", "guess"), Err(Failure::Forbidden.into()));
        }
        let too_many = Err(Failure::TooMany { retry_after: 1 }.into());
        assert_eq!(from("192.0.2.1", "token"), too_many);
        assert_eq!(from("192.0.2.1", ""), Err(Failure::Forbidden.into()), "an empty token is no guess");
        let claimed = claim(&database, &expected, &command("token", "a@b.c"), PersonId(1), START);
        assert_eq!(claimed, Err(Failure::TooMany { retry_after: 1 }.into()));
        assert_eq!(from("192.0.2.2", "token"), Ok(()));
        // Guessing from many networks is throttled too, with a bounded delay.
        for network in 0..200 {
            let _ = from(&format!("198.51.100.{network}"), "guess");
        }
        assert_eq!(from("203.0.113.1", "token"), too_many);
        assert_eq!(check(&database, &expected, "token", "203.0.113.1", START.plus(30_000)), Ok(()));
    }

    #[test]
    fn a_claim_with_a_wrong_token_is_counted() {
        let (database, expected) = fresh();
        for _ in 0..10 {
            let claimed = claim(&database, &expected, &command("guess", "a@b.c"), PersonId(1), START);
            assert_eq!(claimed, Err(Failure::Forbidden.into()));
        }
        assert!(claim(&database, &expected, &command("token", "a@b.c"), PersonId(1), START).is_err());
    }

    #[test]
    fn without_a_configured_token_setup_is_refused() {
        let (database, _) = fresh();
        for expected in [SetupToken::new("", "1000000000"), SetupToken::new("token", "soon")] {
            assert_eq!(check(&database, &expected, "token", "192.0.2.1", START), Err(Failure::Forbidden.into()));
            assert_eq!(check(&database, &expected, "", "192.0.2.1", START), Err(Failure::Forbidden.into()));
        }
    }

    #[test]
    fn the_password_hash_is_deleted_once_the_account_has_it() {
        let (database, expected) = fresh();
        claim(&database, &expected, &command("token", "a@b.c"), PersonId(1), START).unwrap();
        complete(&database).unwrap();
        assert_eq!(pending(&database), Ok(None));
        assert_eq!(is_set_up(&database), Ok(true));
    }
}
