//! Failed sign-ins, and how long they make the next one wait.
//!
//! Every attempt counts as failed until it has succeeded, so attempts made at once count too. E-mail
//! addresses are counted whether somebody has them or not, and stored as hashes only.

use crate::{
    answer::Done,
    database::{Database, Value},
};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    time::{HOUR, MINUTE, SECOND, Timestamp},
    vault::instance::{BeginSignIn, ForgetAttempts},
};
use sha2::{Digest, Sha256};

/// Failures of one account before the first wait.
const FREE_PER_ACCOUNT: i64 = 5;
/// Failures from one network address before the first wait; many people may share one.
const FREE_PER_ADDRESS: i64 = 50;
/// Longest wait, in milliseconds.
const LONGEST_WAIT: i64 = 15 * MINUTE;
/// Failures are forgotten when there was none for this long, in milliseconds.
const MEMORY: i64 = 24 * HOUR;

/// Counts an attempt, and says whose address it is, or that there were too many.
pub fn begin(database: &impl Database, call: &BeginSignIn, now: Timestamp) -> Done<Option<PersonId>> {
    let subjects = subjects(&call.email, &call.address);
    database.run("DELETE FROM attempts WHERE last_at < ?", &[now.plus(-MEMORY).millis().into()])?;
    let mut wait = 0;
    for (subject, free) in &subjects {
        let row = database
            .first("SELECT failures, last_at FROM attempts WHERE subject = ?", std::slice::from_ref(subject))?;
        if let Some(mut row) = row {
            let (failures, last_at) = (row.integer()?, Timestamp::from_millis(row.integer()?));
            wait = wait.max(last_at.plus(pause(failures, *free)).since(now));
        }
    }
    if wait > 0 {
        let retry_after = u32::try_from((wait + SECOND - 1) / SECOND).unwrap_or(u32::MAX);
        return Err(Failure::TooMany { retry_after }.into());
    }
    for (subject, _) in subjects {
        database.run(
            "INSERT INTO attempts (subject, failures, last_at) VALUES (?, 1, ?) \
             ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
            &[subject, now.millis().into()],
        )?;
    }
    match database.first("SELECT person FROM accounts WHERE email = ?", &[call.email.as_str().into()])? {
        Some(mut row) => Ok(Some(row.text()?.parse().map_err(|()| Failure::Unavailable)?)),
        None => Ok(None),
    }
}

/// The attempt succeeded: the account starts anew; the network address loses the one failure it was charged.
pub fn forget(database: &impl Database, call: &ForgetAttempts) -> Done<()> {
    let [(email, _), (address, _)] = subjects(&call.email, &call.address);
    database.run("DELETE FROM attempts WHERE subject = ?", &[email])?;
    database.run("UPDATE attempts SET failures = max(0, failures - 1) WHERE subject = ?", &[address])?;
    Ok(())
}

/// Milliseconds to wait after the last of so many failures: none at first, then 1 s, doubling.
fn pause(failures: i64, free: i64) -> i64 {
    match failures - free {
        ..0 => 0,
        over => (SECOND << over.min(20)).min(LONGEST_WAIT),
    }
}

fn subjects(email: &str, address: &str) -> [(Value, i64); 2] {
    let hash = |kind: &str, text: &str| Value::Blob(Sha256::digest(format!("{kind}:{text}")).to_vec());
    [(hash("email", email), FREE_PER_ACCOUNT), (hash("address", address), FREE_PER_ADDRESS)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::memory::Memory, instance::schema};

    const START: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn fresh() -> Memory {
        let database = Memory::open();
        schema::apply(&database).unwrap();
        database.run("INSERT INTO accounts VALUES ('a@b.c', '0000000000000001')", &[]).unwrap();
        database
    }

    fn attempt(database: &Memory, email: &str, address: &str, now: Timestamp) -> Done<Option<PersonId>> {
        begin(database, &BeginSignIn { email: email.into(), address: address.into() }, now)
    }

    #[test]
    fn five_failures_are_free_and_then_the_wait_doubles() {
        let database = fresh();
        for _ in 0..5 {
            assert_eq!(attempt(&database, "a@b.c", "x", START), Ok(Some(PersonId(1))));
        }
        assert_eq!(attempt(&database, "a@b.c", "x", START), Err(Failure::TooMany { retry_after: 1 }.into()));
        assert_eq!(attempt(&database, "a@b.c", "x", START.plus(1_000)), Ok(Some(PersonId(1))));
        assert_eq!(
            attempt(&database, "a@b.c", "x", START.plus(1_001)),
            Err(Failure::TooMany { retry_after: 2 }.into())
        );
    }

    #[test]
    fn an_address_that_nobody_has_is_treated_alike() {
        let database = fresh();
        for _ in 0..5 {
            assert_eq!(attempt(&database, "nobody@b.c", "x", START), Ok(None));
        }
        assert_eq!(attempt(&database, "nobody@b.c", "x", START), Err(Failure::TooMany { retry_after: 1 }.into()));
    }

    #[test]
    fn one_network_address_cannot_try_many_accounts() {
        let database = fresh();
        for account in 0..50 {
            assert_eq!(attempt(&database, &format!("{account}@b.c"), "x", START), Ok(None));
        }
        assert!(attempt(&database, "a@b.c", "x", START).is_err());
        assert!(attempt(&database, "a@b.c", "y", START).is_ok(), "others are not punished");
    }

    #[test]
    fn success_starts_the_count_anew() {
        let database = fresh();
        for _ in 0..20 {
            assert!(attempt(&database, "a@b.c", "x", START).is_ok());
            forget(&database, &ForgetAttempts { email: "a@b.c".into(), address: "x".into() }).unwrap();
        }
    }

    #[test]
    fn a_wait_has_an_end_and_memory_too() {
        assert_eq!(pause(4, 5), 0);
        assert_eq!(pause(5, 5), SECOND);
        assert_eq!(pause(1_000_000, 5), LONGEST_WAIT);
        let database = fresh();
        for _ in 0..5 {
            attempt(&database, "a@b.c", "x", START).unwrap();
        }
        attempt(&database, "a@b.c", "x", START.plus(MEMORY + 1)).unwrap();
        assert!(attempt(&database, "a@b.c", "x", START.plus(MEMORY + 1)).is_ok());
    }
}
