//! The deployment: the Durable Object that holds the setup state, maps emails to accounts and
//! throttles sign-ins.
#![allow(missing_docs, reason = "the Durable Object macro generates undocumented public items")]

mod schema;
mod setup;
mod sign_in_throttle;

#[cfg(test)]
#[path = "../tests/previous/instance.rs"]
mod previous;

use crate::{
    database::DatabaseResult,
    log,
    object::{now, random, send},
    rpc::{CommandResult, read_command, respond, run},
    storage::Storage,
};
use ownchat_domain::{
    account::PersonId,
    failure::Failure,
    vault::{
        Command, Object,
        instance::{BeginSignIn, CheckSetup, ForgetAttempts, SetUp, WithdrawAttempt},
        person, registry,
    },
};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The Durable Object. There is exactly one.
#[durable_object]
pub struct Instance {
    env: Env,
    database: DatabaseResult<Storage>,
}

impl DurableObject for Instance {
    fn new(state: State, env: Env) -> Self {
        let storage = Storage::of(&state);
        let database = schema::apply(&storage).map(|()| storage);
        Self { env, database }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        log::within("instance", log::id_of(&request), Box::pin(self.respond_to(request))).await
    }
}

impl Instance {
    async fn respond_to(&self, request: Request) -> Result<Response> {
        let database = self.database.as_ref().map_err(log::internal_error)?;
        let path = request.path();
        let Some((Object::Instance, name)) = Object::parse(&path) else {
            return Response::error("not a request to the instance", 404);
        };
        // Any later request completes an interrupted setup.
        if let Err(failure) = self.finish(database).await {
            log::error(format_args!("setup cannot be completed: {failure:?}"));
        }
        match name {
            CheckSetup::NAME => {
                let command: CheckSetup = read_command(&request).await?;
                let result = match self.check_not_lost(database).await {
                    Ok(()) => setup::check(database, &self.setup_token()?, &command.token, &command.address, now()),
                    Err(error) => Err(error),
                };
                respond::<CheckSetup>(result)
            }
            SetUp::NAME => {
                let command: SetUp = read_command(&request).await?;
                let person = PersonId(u64::from_be_bytes(random()?));
                let claimed = match self.check_not_lost(database).await {
                    Ok(()) => setup::claim(database, &self.setup_token()?, &command, person, now()),
                    Err(error) => Err(error),
                };
                let result = match claimed {
                    Ok(person) => self.finish(database).await.map(|()| person),
                    Err(error) => Err(error),
                };
                respond::<SetUp>(result)
            }
            BeginSignIn::NAME => {
                run(&request, |c: &BeginSignIn| sign_in_throttle::begin_sign_in(database, c, now())).await
            }
            ForgetAttempts::NAME => run(&request, |c: &ForgetAttempts| sign_in_throttle::reset(database, c)).await,
            WithdrawAttempt::NAME => run(&request, |c: &WithdrawAttempt| sign_in_throttle::withdraw(database, c)).await,
            _ => Response::error("no such command", 404),
        }
    }

    fn setup_token(&self) -> Result<setup::SetupToken> {
        let started_at = self.env.var("STARTED_AT")?.to_string();
        Ok(setup::SetupToken::new(&self.env.secret("SETUP_TOKEN")?.to_string(), &started_at))
    }

    /// Refuses setup if a workspace exists but this store has none: the store was lost, and setup
    /// would give the workspace another owner.
    async fn check_not_lost(&self, database: &Storage) -> CommandResult<()> {
        if setup::is_set_up(database)? {
            return Ok(());
        }
        let exists = send(&self.env, Object::Registry(setup::FIRST_WORKSPACE), &registry::WorkspaceExists {}).await?;
        // A concurrent request may have claimed it meanwhile.
        if !exists || setup::is_set_up(database)? {
            return Ok(());
        }
        log::error(format_args!(
            "the store of the deployment is lost, and its workspace is there; put a copy of it back"
        ));
        Err(Failure::Unavailable.into())
    }

    /// Creates the objects of a claimed setup. Each creation is idempotent, so a retry is safe.
    async fn finish(&self, database: &Storage) -> CommandResult<()> {
        let Some(claim) = setup::pending(database)? else { return Ok(()) };
        let workspace = registry::CreateWorkspace {
            number: claim.workspace,
            name: claim.workspace_name.clone(),
            owner: claim.person,
            owner_name: claim.name.clone(),
        };
        send(&self.env, Object::Registry(claim.workspace), &workspace).await.map_err(|failure| pending(&failure))?;
        let person = person::CreateAccount {
            name: claim.name,
            email: claim.email,
            password: claim.password,
            workspace: claim.workspace,
            workspace_name: claim.workspace_name,
        };
        send(&self.env, Object::Person(claim.person), &person).await.map_err(|failure| pending(&failure))?;
        setup::complete(database)
    }
}

fn pending(failure: &Failure) -> crate::rpc::CommandError {
    log::error(format_args!("setup: {failure:?}"));
    Failure::Unavailable.into()
}
