//! Who belongs to the workspace.

use crate::{answer::Done, database::Database};
use ownchat_domain::{account::PersonId, failure::Failure, vault::registry::Found};

/// Somebody who belongs to the workspace. Having one proves that it was checked.
#[derive(Debug)]
pub struct Member {
    /// The person's name, for what they make.
    pub name: String,
}

/// Makes the workspace and its owner, unless they are there.
pub fn found(database: &impl Database, call: &Found) -> Done<()> {
    database.atomically(|| {
        database.run(
            "INSERT INTO workspace (id, number, name) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
            &[call.number.into(), call.name.as_str().into()],
        )?;
        database.run(
            "INSERT INTO members (person, name, role) VALUES (?, ?, 'owner') ON CONFLICT DO NOTHING",
            &[call.owner.to_string().into(), call.owner_name.as_str().into()],
        )?;
        Ok(())
    })
}

/// The owner that this person is; members who own nothing are told so.
pub fn owner(database: &impl Database, person: PersonId) -> Done<Member> {
    let member = member(database, person)?;
    let owns = "SELECT 1 FROM members WHERE person = ? AND role = 'owner'";
    match database.first(owns, &[person.to_string().into()])? {
        Some(_) => Ok(member),
        None => Err(Failure::Forbidden.into()),
    }
}

/// The member that this person is; for everybody else the workspace does not exist.
pub fn member(database: &impl Database, person: PersonId) -> Done<Member> {
    match database.first("SELECT name FROM members WHERE person = ?", &[person.to_string().into()])? {
        Some(mut row) => Ok(Member { name: row.text()? }),
        None => Err(Failure::NotFound.into()),
    }
}
