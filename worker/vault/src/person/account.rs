//! The account row.

use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{failure::Failure, vault::person::CreateAccount};

/// Creates the account, unless it exists.
pub fn create(database: &impl Database, command: &CreateAccount) -> CommandResult<()> {
    database.run(
        "INSERT INTO account (id, name, email, password, workspace, workspace_name) VALUES (1, ?, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
        &[
            command.name.as_str().into(),
            command.email.as_str().into(),
            command.password.as_str().into(),
            command.workspace.into(),
            command.workspace_name.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Returns the password hash, as a PHC string.
pub fn password(database: &impl Database) -> CommandResult<String> {
    match database.first("SELECT password FROM account", &[])? {
        Some(mut row) => Ok(row.text()?),
        None => Err(Failure::NotFound.into()),
    }
}
