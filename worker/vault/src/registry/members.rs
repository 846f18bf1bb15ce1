//! Members of the workspace, and authorization of their commands.

use super::rows::{KeyRow, find};
use crate::{
    database::{Database, DatabaseError},
    rpc::CommandResult,
};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    role::{Actor, Grant, Operation, Role, allow},
    time::Timestamp,
    vault::{Caller, registry::CreateWorkspace},
    verdict::Denial,
};

/// A member of the workspace: a person, or one of its keys.
#[derive(Debug)]
pub struct Member {
    /// The principal that gives commands.
    pub principal: Actor,
    /// Current name of the person or the key.
    pub name: String,
}

impl Member {
    /// Returns the owner of keys that the member creates. Those that a key creates have none.
    pub const fn owner(&self) -> Option<PersonId> {
        match self.principal {
            Actor::Person(person, _) => Some(person),
            Actor::Key(..) => None,
        }
    }

    /// Returns the `created_by` of keys that the member creates. A key must not pass for a person
    /// of the same name.
    pub fn created_by(&self) -> String {
        match self.principal {
            Actor::Person(..) => self.name.clone(),
            Actor::Key(id, _) => format!("{} (key {id})", self.name),
        }
    }

    /// Checks that the member may run the command on this key, and may grant that. Without a grant
    /// it checks if the command may be tried at all.
    pub fn may(
        &self,
        command: Operation,
        key: Option<&KeyRow>,
        grant: Option<&Grant<'_>>,
        now: Timestamp,
    ) -> CommandResult<()> {
        Ok(allow(&self.principal, command, key.map(KeyRow::subject).as_ref(), grant, now)?)
    }
}

/// Creates the workspace and its owner, unless they exist.
pub fn create_workspace(database: &impl Database, command: &CreateWorkspace) -> CommandResult<()> {
    database.transaction(|| {
        database.run(
            "INSERT INTO workspace (id, number, name) VALUES (1, ?, ?) ON CONFLICT DO NOTHING",
            &[command.number.into(), command.name.as_str().into()],
        )?;
        database.run(
            "INSERT INTO members (person, name, role) VALUES (?, ?, 'owner') ON CONFLICT DO NOTHING",
            &[command.owner.to_string().into(), command.owner_name.as_str().into()],
        )?;
        Ok(())
    })
}

/// Returns true if the workspace exists.
pub fn workspace_exists(database: &impl Database) -> CommandResult<bool> {
    Ok(database.first("SELECT 1 FROM workspace", &[])?.is_some())
}

/// Returns the member of a caller, whom [`super::authenticate::authenticate`] has accepted.
pub fn member(database: &impl Database, caller: &Caller) -> CommandResult<Member> {
    match caller {
        Caller::Person(person) => of_person(database, *person),
        Caller::Key(key) => {
            let row = find(database, key.id)?.ok_or(Denial::Unknown).map_err(Failure::from)?;
            let name = row.details.name.clone();
            Ok(Member { principal: Actor::Key(row.locator, Box::new(row.details)), name })
        }
    }
}

/// Returns the member of a person. To others the workspace does not exist.
fn of_person(database: &impl Database, person: PersonId) -> CommandResult<Member> {
    match database.first("SELECT name, role FROM members WHERE person = ?", &[person.to_string().into()])? {
        Some(mut row) => {
            let name = row.text()?;
            let role = Role::parse(&row.text()?).ok_or_else(|| DatabaseError("an unknown role".into()))?;
            Ok(Member { principal: Actor::Person(person, role), name })
        }
        None => Err(Failure::NotFound.into()),
    }
}

#[cfg(test)]
mod tests;
