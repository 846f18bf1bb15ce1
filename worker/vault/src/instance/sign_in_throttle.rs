//! Sign-in throttling: counts failed sign-ins and delays the next attempt with exponential
//! back-off.
//!
//! An attempt counts as failed until it succeeds, so concurrent attempts count too. Emails count
//! whether or not an account has them, and are stored as hashes only.
//!
//! Counters exist per account and network, per network, and per account across all networks. The
//! last one slows down distributed guessing. Its delays are short, since it could lock out the
//! owner. A known device has its own counter and is exempt from the others.
//!
//! Wrong setup tokens have their own counters: per network and across all networks.

use crate::{
    database::{Database, SqlValue},
    rpc::CommandResult,
};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    miss_limiter::network_of,
    time::{HOUR, MINUTE, SECOND, Timestamp, whole_seconds},
    vault::instance::{BeginSignIn, ForgetAttempts, WithdrawAttempt},
};
use sha2::{Digest, Sha256};

/// Failures expire after this long without another one, in milliseconds.
const FORGET_AFTER: i64 = 24 * HOUR;

/// Failed attempts that are counted together.
#[derive(Debug)]
pub struct Counter {
    subject: SqlValue,
    /// Failures before the first delay.
    free: i64,
    /// The longest delay, in milliseconds.
    delay_max: i64,
    /// True if a success resets the counter, instead of undoing only its own attempt.
    is_personal: bool,
}

impl Counter {
    fn new(kind: &str, parts: &[&str], free: i64, delay_max: i64, is_personal: bool) -> Self {
        let text = format!("{kind}:{}", parts.join(":"));
        Self { subject: SqlValue::Blob(Sha256::digest(text).to_vec()), free, delay_max, is_personal }
    }

    /// Returns the delay after this many failures, in milliseconds: first none, then 1 s, doubling.
    fn back_off(&self, failures: i64) -> i64 {
        match failures - self.free {
            ..0 => 0,
            over => (SECOND << over.min(20)).min(self.delay_max),
        }
    }
}

/// Counters of a sign-in attempt.
fn counters(email: &str, client_ip: &str, device: Option<&str>) -> Vec<Counter> {
    if let Some(device) = device {
        return vec![Counter::new("device", &[device, email], 5, 15 * MINUTE, true)];
    }
    let network = network(client_ip);
    vec![
        Counter::new("pair", &[&network, email], 5, 15 * MINUTE, true),
        // Many people may share a network.
        Counter::new("address", &[&network], 50, 15 * MINUTE, false),
        Counter::new("email", &[email], 50, 30 * SECOND, false),
    ]
}

/// Counters of wrong setup tokens.
///
/// The token is long and random, so short delays suffice. Longer ones would lock out an owner who
/// shares a network with a guesser.
pub fn setup_counters(client_ip: &str) -> Vec<Counter> {
    vec![
        Counter::new("setup", &[&network(client_ip)], 10, 30 * SECOND, true),
        Counter::new("setup-everywhere", &[], 50, 30 * SECOND, true),
    ]
}

/// Returns the network of a client IP. One caller may have a whole IPv6 network.
fn network(client_ip: &str) -> String {
    client_ip.parse().map_or_else(|_| client_ip.to_owned(), |client_ip| network_of(client_ip).to_string())
}

/// Counts an attempt, and returns the account of the email, if one exists.
///
/// # Errors
///
/// Too many requests while a counter delays.
pub fn begin_sign_in(
    database: &impl Database,
    command: &BeginSignIn,
    now: Timestamp,
) -> CommandResult<Option<PersonId>> {
    let counters = counters(&command.email, &command.address, command.device.as_deref());
    check(database, &counters, now)?;
    count_failure(database, counters, now)?;
    match database.first("SELECT person FROM accounts WHERE email = ?", &[command.email.as_str().into()])? {
        Some(mut row) => Ok(Some(row.text()?.parse().map_err(|()| Failure::Unavailable)?)),
        None => Ok(None),
    }
}

/// Refuses an attempt that comes before a counter's delay is over.
pub fn check(database: &impl Database, counters: &[Counter], now: Timestamp) -> CommandResult<()> {
    database.run("DELETE FROM attempts WHERE last_at < ?", &[now.plus(-FORGET_AFTER).millis().into()])?;
    // A clock that was set back extends no delay.
    database.run("UPDATE attempts SET last_at = ?1 WHERE last_at > ?1", &[now.millis().into()])?;
    let mut delay = 0;
    for counter in counters {
        let query = "SELECT failures, last_at FROM attempts WHERE subject = ?";
        if let Some(mut row) = database.first(query, std::slice::from_ref(&counter.subject))? {
            let (failures, last_at) = (row.integer()?, Timestamp::from_millis(row.integer()?));
            delay = delay.max(counter.back_off(failures) - now.since(last_at));
        }
    }
    if delay > 0 {
        let retry_after = u32::try_from(whole_seconds(delay)).unwrap_or(u32::MAX);
        return Err(Failure::TooMany { retry_after }.into());
    }
    Ok(())
}

/// Counts a failed attempt.
pub fn count_failure(database: &impl Database, counters: Vec<Counter>, now: Timestamp) -> CommandResult<()> {
    for counter in counters {
        database.run(
            "INSERT INTO attempts (subject, failures, last_at) VALUES (?, 1, ?) \
             ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
            &[counter.subject, now.millis().into()],
        )?;
    }
    Ok(())
}

/// Records a success: resets personal counters and undoes the attempt in the others.
pub fn reset(database: &impl Database, command: &ForgetAttempts) -> CommandResult<()> {
    for counter in counters(&command.email, &command.address, command.device.as_deref()) {
        let change = if counter.is_personal { "DELETE FROM attempts WHERE subject = ?" } else { UNCOUNT };
        database.run(change, &[counter.subject])?;
    }
    Ok(())
}

/// Undoes an attempt whose password was not verified.
pub fn withdraw(database: &impl Database, command: &WithdrawAttempt) -> CommandResult<()> {
    let BeginSignIn { email, address: client_ip, device } = &command.attempt;
    for counter in counters(email, client_ip, device.as_deref()) {
        database.run(UNCOUNT, &[counter.subject])?;
    }
    Ok(())
}

/// Undoes one attempt in one counter.
const UNCOUNT: &str = "UPDATE attempts SET failures = max(0, failures - 1) WHERE subject = ?";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::memory::MemoryDatabase, instance::schema};

    const START: Timestamp = Timestamp::from_millis(1_000_000_000);
    const OWNER: &str = "a@b.c";

    fn fresh() -> MemoryDatabase {
        let database = MemoryDatabase::open();
        schema::apply(&database).unwrap();
        database.run("INSERT INTO accounts VALUES ('a@b.c', '0000000000000001')", &[]).unwrap();
        database
    }

    fn from(
        database: &MemoryDatabase,
        email: &str,
        address: &str,
        device: Option<&str>,
        now: Timestamp,
    ) -> CommandResult<Option<PersonId>> {
        let device = device.map(str::to_owned);
        begin_sign_in(database, &BeginSignIn { email: email.into(), address: address.into(), device }, now)
    }

    fn attempt(
        database: &MemoryDatabase,
        email: &str,
        address: &str,
        now: Timestamp,
    ) -> CommandResult<Option<PersonId>> {
        from(database, email, address, None, now)
    }

    fn too_many(retry_after: u32) -> CommandResult<Option<PersonId>> {
        Err(Failure::TooMany { retry_after }.into())
    }

    #[test]
    fn the_delay_doubles_after_five_failures() {
        let database = fresh();
        for _ in 0..5 {
            assert_eq!(attempt(&database, OWNER, "192.0.2.1", START), Ok(Some(PersonId(1))));
        }
        assert_eq!(attempt(&database, OWNER, "192.0.2.1", START), too_many(1));
        assert_eq!(attempt(&database, OWNER, "192.0.2.1", START.plus(1_000)), Ok(Some(PersonId(1))));
        assert_eq!(attempt(&database, OWNER, "192.0.2.1", START.plus(1_001)), too_many(2));
    }

    #[test]
    fn knowing_the_email_locks_nobody_out() {
        let database = fresh();
        for _ in 0..6 {
            let _ = attempt(&database, OWNER, "198.51.100.1", START);
        }
        assert!(attempt(&database, OWNER, "198.51.100.1", START).is_err());
        assert_eq!(attempt(&database, OWNER, "192.0.2.1", START), Ok(Some(PersonId(1))), "from another network");
        // One caller may have a whole IPv6 network.
        for number in 0..5 {
            attempt(&database, OWNER, &format!("2001:db8::{number}"), START).unwrap();
        }
        assert_eq!(attempt(&database, OWNER, "2001:db8::ffff", START), too_many(1));
        assert!(attempt(&database, OWNER, "2001:db8:0:1::1", START).is_ok());
    }

    #[test]
    fn a_known_device_is_exempt_from_the_account_counter() {
        let database = fresh();
        for number in 0..50 {
            attempt(&database, OWNER, &format!("192.0.2.{number}"), START).unwrap();
        }
        assert_eq!(attempt(&database, OWNER, "203.0.113.1", START), too_many(1));
        assert_eq!(from(&database, OWNER, "203.0.113.1", Some("laptop"), START), Ok(Some(PersonId(1))));
        let far = START.plus(HOUR);
        for number in 0..20 {
            let _ = attempt(&database, OWNER, &format!("203.0.113.{number}"), far.plus(number * 60_000));
        }
        let last = far.plus(19 * 60_000);
        assert_eq!(attempt(&database, OWNER, "203.0.113.99", last), too_many(30), "the delay is bounded");
        // A stolen device does not evade the count.
        for _ in 0..5 {
            let _ = from(&database, OWNER, "203.0.113.1", Some("laptop"), last);
        }
        assert!(from(&database, OWNER, "203.0.113.1", Some("laptop"), last).is_err());
    }

    #[test]
    fn an_unknown_email_is_throttled_alike() {
        let database = fresh();
        for _ in 0..5 {
            assert_eq!(attempt(&database, "nobody@b.c", "192.0.2.1", START), Ok(None));
        }
        assert_eq!(attempt(&database, "nobody@b.c", "192.0.2.1", START), too_many(1));
    }

    #[test]
    fn one_network_cannot_try_many_accounts() {
        let database = fresh();
        for account in 0..50 {
            assert_eq!(attempt(&database, &format!("{account}@b.c"), "192.0.2.1", START), Ok(None));
        }
        assert!(attempt(&database, OWNER, "192.0.2.1", START).is_err());
        assert!(attempt(&database, OWNER, "192.0.2.2", START).is_ok(), "other networks are not throttled");
    }

    #[test]
    fn success_resets_the_count() {
        let database = fresh();
        for _ in 0..60 {
            assert!(attempt(&database, OWNER, "192.0.2.1", START).is_ok());
            let success = ForgetAttempts { email: OWNER.into(), address: "192.0.2.1".into(), device: None };
            reset(&database, &success).unwrap();
        }
    }

    #[test]
    fn a_withdrawn_attempt_does_not_count() {
        let database = fresh();
        let attempt = BeginSignIn { email: OWNER.into(), address: "192.0.2.1".into(), device: None };
        for _ in 0..60 {
            assert!(begin_sign_in(&database, &attempt, START).is_ok());
            withdraw(&database, &WithdrawAttempt { attempt: attempt.clone() }).unwrap();
        }
        // It undoes no other failure.
        for _ in 0..5 {
            begin_sign_in(&database, &attempt, START).unwrap();
        }
        assert!(begin_sign_in(&database, &attempt, START).is_err());
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let database = fresh();
        let before = START.plus(-30 * HOUR);
        for now in [START, before, before, before, before] {
            assert!(attempt(&database, OWNER, "192.0.2.1", now).is_ok(), "there is no delay yet");
        }
        assert_eq!(attempt(&database, OWNER, "192.0.2.1", before.plus(-HOUR)), too_many(1));
        assert!(attempt(&database, OWNER, "192.0.2.1", before.plus(-HOUR + SECOND)).is_ok(), "its delay and no more");
    }

    #[test]
    fn delays_are_bounded_and_failures_expire() {
        let counter = Counter::new("pair", &[], 5, 15 * MINUTE, true);
        assert_eq!([4, 5, 1_000_000].map(|failures| counter.back_off(failures)), [0, SECOND, 15 * MINUTE]);
        let database = fresh();
        for _ in 0..5 {
            attempt(&database, OWNER, "192.0.2.1", START).unwrap();
        }
        attempt(&database, OWNER, "192.0.2.1", START.plus(FORGET_AFTER + 1)).unwrap();
        assert!(attempt(&database, OWNER, "192.0.2.1", START.plus(FORGET_AFTER + 1)).is_ok());
    }
}
