//! Commands of a workspace: one arm for each, with its sender, its follow-up and its function.
//!
//! `by_caller` authenticates a person or key; `by_object` accepts other objects of the vault. The
//! function authorizes the caller. The follow-ups stand in [`super::pipeline`].

use super::{
    duplicate, end_secrets, explain, keys, list, masters, members,
    pipeline::{FollowUp, Incoming},
    restore, rotate, session_events, settings, transfer,
};
use crate::{log, object::send, rpc::CommandResult, storage::Storage};
use ownchat_domain::{
    failure::Failure,
    feed::shard_of,
    vault::{
        Command, Object, Outcome,
        feed::Announce,
        masters::ReadMasters,
        registry::{
            ChangeKey, ChangeSettings, CreateKey, CreateWorkspace, DeleteKey, DuplicateKey, EndOldSecrets, ExplainCall,
            ListKeys, ReadDeleted, ReadKey, ReadSettings, ReadTrail, RecordSessionEvent, RestoreKey, RotateKey,
            WorkspaceExists,
        },
        transfer::{FinishImport, ReadExport, StageImport},
    },
};
use worker::{Env, Response, Result};

/// Runs a command.
pub fn run<'a>(request: &Incoming<'a>, name: &str) -> Result<FollowUp<'a>> {
    let &Incoming { database: db, keyring, env, in_flight, workspace, now, .. } = request;
    match name {
        CreateWorkspace::NAME => request.by_object::<CreateWorkspace>()?.wait(|c| create_workspace(db, env, c)),
        WorkspaceExists::NAME => request.by_object::<WorkspaceExists>()?.reply(|_| members::workspace_exists(db)),
        // Sessions outlive a lost store. The workspace must not look as if it never existed.
        _ if members::workspace_exists(db) == Ok(false) => {
            log::error(format_args!("the store of workspace {workspace} is lost; put a copy of it back"));
            Ok(FollowUp::Reply(Response::from_json(&Outcome::<()>::Err(Failure::Unavailable))?))
        }
        RecordSessionEvent::NAME => {
            request.by_object::<RecordSessionEvent>()?.reply(|c| session_events::record(db, c, now))
        }
        CreateKey::NAME => request.by_caller::<CreateKey>()?.queue(|c| keys::create(db, keyring, workspace, c, now)),
        DuplicateKey::NAME => {
            request.by_caller::<DuplicateKey>()?.queue(|c| duplicate::duplicate(db, keyring, workspace, c, now))
        }
        ListKeys::NAME => request.by_caller::<ListKeys>()?.reply(|c| list::list(db, c, now)),
        ReadKey::NAME => request.by_caller::<ReadKey>()?.reply(|c| keys::read(db, c, now)),
        ReadDeleted::NAME => request.by_caller::<ReadDeleted>()?.reply(|c| restore::read_deleted(db, c, now)),
        ExplainCall::NAME => request
            .by_caller::<ExplainCall>()?
            .wait(move |c| async move { explain::explain_call(db, keyring, env, &c, now).await }),
        ChangeKey::NAME => request.by_caller::<ChangeKey>()?.publish(|c| keys::change(db, c, now)),
        DeleteKey::NAME => request.by_caller::<DeleteKey>()?.publish(|c| keys::delete(db, c, now)),
        RestoreKey::NAME => request.by_caller::<RestoreKey>()?.publish(|c| restore::restore(db, c, now)),
        RotateKey::NAME => {
            request.by_caller::<RotateKey>()?.publish(|c| rotate::rotate_once(db, keyring, in_flight, c, now))
        }
        EndOldSecrets::NAME => {
            request.by_caller::<EndOldSecrets>()?.publish(|c| end_secrets::end_old_secrets(db, c, now))
        }
        ReadSettings::NAME => request.by_caller::<ReadSettings>()?.reply(|c| settings::read(db, c, now)),
        ChangeSettings::NAME => request.by_caller::<ChangeSettings>()?.publish(|c| settings::change(db, c, now)),
        ReadTrail::NAME => request.by_caller::<ReadTrail>()?.reply(|c| list::trail(db, c, now)),
        ReadMasters::NAME => request.by_caller::<ReadMasters>()?.reply(|c| masters::read(db, keyring, c, now)),
        ReadExport::NAME => request.by_caller::<ReadExport>()?.reply(|c| transfer::read(db, c, now)),
        StageImport::NAME => request.by_caller::<StageImport>()?.reply(|c| transfer::stage(db, c, now)),
        FinishImport::NAME => request.by_caller::<FinishImport>()?.publish(|c| transfer::finish(db, keyring, c, now)),
        _ => Ok(FollowUp::Reply(Response::error("no such command", 404)?)),
    }
}

/// Creates the workspace, then its feed, so that the feed has every revocation of its keys.
async fn create_workspace(database: &Storage, env: &Env, command: CreateWorkspace) -> CommandResult<()> {
    members::create_workspace(database, &command)?;
    let feed = Announce { entries: Vec::new() };
    Ok(send(env, Object::Feed(shard_of(command.number)), &feed).await?)
}

#[cfg(test)]
mod tests {
    /// The domain's declarations of commands to a workspace.
    const DECLARED: [&str; 4] = [
        include_str!("../../../../app/domain/src/vault/registry.rs"),
        include_str!("../../../../app/domain/src/vault/registry/trail.rs"),
        include_str!("../../../../app/domain/src/vault/masters.rs"),
        include_str!("../../../../app/domain/src/vault/transfer.rs"),
    ];

    #[test]
    fn every_command_has_one_arm_which_authenticates_its_caller() {
        let code = include_str!("commands.rs").split("#[cfg(test)]").next().unwrap();
        let words = code.split_whitespace().collect::<Vec<_>>().join(" ");
        let table = words.replace("=> { request", "=> request").replace(" .", ".");
        let declared: Vec<&str> = DECLARED
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.strip_prefix("command!(")?.strip_suffix(");"))
            .collect();
        assert_eq!(declared.len(), table.matches("::NAME => ").count(), "{declared:?}");
        for declaration in declared {
            let command = declaration.split(',').next().unwrap();
            let sender = if declaration.ends_with("caller") { "by_caller" } else { "by_object" };
            let arm = format!("{command}::NAME => request.{sender}::<{command}>()?.");
            assert_eq!(table.matches(&arm).count(), 1, "{arm}");
        }
    }
}
