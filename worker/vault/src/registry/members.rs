//! Who belongs to the workspace, and what they may do.

use super::rows::KeyRow;
use crate::{
    answer::Done,
    database::{Database, DatabaseError},
};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    role::{Command, Grant, Principal, Role, allow},
    time::Timestamp,
    vault::registry::Found,
};

/// Somebody who belongs to the workspace. Having one proves that it was checked.
#[derive(Debug)]
pub struct Member {
    /// Who it is.
    pub id: PersonId,
    /// The person's name, for what they make.
    pub name: String,
    /// What the person is here.
    pub role: Role,
}

impl Member {
    /// The member as one who gives commands.
    pub const fn principal(&self) -> Principal {
        Principal::Person(self.id, self.role)
    }

    /// Whether the member may do this to a key, and give it that; without a grant, whether it may be tried at all.
    pub fn may(&self, command: Command, key: Option<&KeyRow>, grant: Option<&Grant<'_>>, now: Timestamp) -> Done<()> {
        Ok(allow(self.principal(), command, key.map(KeyRow::subject).as_ref(), grant, now)?)
    }
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

/// The member that this person is; for everybody else the workspace does not exist.
pub fn member(database: &impl Database, person: PersonId) -> Done<Member> {
    match database.first("SELECT name, role FROM members WHERE person = ?", &[person.to_string().into()])? {
        Some(mut row) => {
            let name = row.text()?;
            let role = Role::parse(&row.text()?).ok_or_else(|| DatabaseError("an unknown role".into()))?;
            Ok(Member { id: person, name, role })
        }
        None => Err(Failure::NotFound.into()),
    }
}

#[cfg(test)]
#[path = "members/tests.rs"]
mod tests;
