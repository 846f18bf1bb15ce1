//! An account that an earlier version has left. The folder beside this file holds one database for
//! each schema step, as SQL; they are never regenerated.

use super::{
    account, schema,
    sessions::{self, IDLE},
};
use crate::database::memory::MemoryDatabase;
use ownchat_domain::{
    account::{PersonId, SessionToken},
    failure::Failure,
    time::{MINUTE, Timestamp},
    vault::person::{EndSession, Identity, Resume},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

#[test]
fn an_account_of_the_first_schema_is_read() {
    let database = MemoryDatabase::filled(include_str!("person/first.sql"));
    schema::apply(&database).unwrap();
    schema::apply(&database).unwrap();
    let password = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
    assert_eq!(account::password(&database).as_deref(), Ok(password));
    let session = |secret| SessionToken::new(PersonId(1), [secret; 16]).hash();
    let resume = |secret, now| sessions::resume(&database, &Resume { session: session(secret) }, now);
    let ada =
        Identity { name: "Ada".into(), email: "ada@example.com".into(), workspace: 7, workspace_name: "Shop".into() };
    // The first session was last used at NOW, the second a minute later.
    let later = NOW.plus(IDLE);
    assert_eq!(resume(1, later), Err(Failure::NotSignedIn.into()));
    assert_eq!(resume(2, later), Ok(ada.clone()));
    assert_eq!(resume(2, later.plus(IDLE - MINUTE)), Ok(ada), "it was extended");
    assert_eq!(resume(3, NOW), Err(Failure::NotSignedIn.into()));
    sessions::end(&database, &EndSession { session: session(2) }).unwrap();
    assert_eq!(resume(2, later), Err(Failure::NotSignedIn.into()));
}
