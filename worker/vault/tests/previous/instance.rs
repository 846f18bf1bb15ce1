//! A deployment that an earlier version has left. The folder beside this file holds one database
//! for each schema step, as SQL; they are never regenerated.

use super::{
    schema,
    setup::{self, PendingSetup, SetupToken},
    sign_in_throttle,
};
use crate::database::memory::MemoryDatabase;
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    time::{MINUTE, SECOND, Timestamp},
    vault::instance::{BeginSignIn, ForgetAttempts},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

#[test]
fn a_deployment_of_the_first_schema_is_read() {
    let database = MemoryDatabase::filled(include_str!("instance/first.sql"));
    schema::apply(&database).unwrap();
    schema::apply(&database).unwrap();
    let expected = SetupToken::new("token", "1795452408000");
    assert_eq!(
        setup::check(&database, &expected, "token", "192.0.2.1", NOW.plus(2)),
        Err(Failure::NotFound.into()),
        "it is set up"
    );
    let claim = PendingSetup {
        person: PersonId(0xab),
        name: "Ada".into(),
        email: "ada@example.com".into(),
        password: "$argon2id$hash".into(),
        workspace: 1,
        workspace_name: "Shop".into(),
    };
    assert_eq!(setup::pending(&database), Ok(Some(claim)), "its objects are still to be created");
    // Seven sign-ins have failed, the last one six minutes after NOW. They still count for the
    // account across all networks.
    let (email, address) = ("ada@example.com".to_owned(), "192.0.2.1".to_owned());
    let command = BeginSignIn { email: email.clone(), address: address.clone(), device: None };
    let last = NOW.plus(6 * MINUTE);
    for number in 0..43 {
        let elsewhere = BeginSignIn { address: format!("198.51.100.{number}"), ..command.clone() };
        assert_eq!(sign_in_throttle::begin_sign_in(&database, &elsewhere, last), Ok(Some(PersonId(0xab))));
    }
    assert_eq!(
        sign_in_throttle::begin_sign_in(&database, &command, last),
        Err(Failure::TooMany { retry_after: 1 }.into())
    );
    assert_eq!(sign_in_throttle::begin_sign_in(&database, &command, last.plus(SECOND)), Ok(Some(PersonId(0xab))));
    sign_in_throttle::reset(&database, &ForgetAttempts { email, address, device: None }).unwrap();
    assert_eq!(sign_in_throttle::begin_sign_in(&database, &command, last.plus(2 * SECOND)), Ok(Some(PersonId(0xab))));
}
