//! Explains the verdict that the edge would return, computed from the current state.

use super::{
    members::member,
    meters::Meters,
    rows::{find, record},
};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    explain::{Explanation, asks_meter, explain, forged},
    failure::Failure,
    keyring::Keyring,
    role::Operation,
    time::Timestamp,
    vault::{meter::LookAhead, registry::ExplainCall},
};

/// Explains a request with a key of this workspace, deleted or not. Keys of other workspaces are
/// unknown here.
pub async fn explain_call(
    database: &impl Database,
    keyring: &Keyring,
    meters: &impl Meters,
    command: &ExplainCall,
    now: Timestamp,
) -> CommandResult<Explanation> {
    let member = member(database, &command.caller)?;
    let (Some(row), Some(record)) = (find(database, command.id)?, record(database, command.id, now)?) else {
        // That a locator was never issued is no secret.
        let issued = command.case.environment.is_none_or(|environment| command.id.open(keyring, environment).is_some());
        return if issued { Err(Failure::NotFound.into()) } else { Ok(forged(&command.case, now)) };
    };
    member.may(Operation::ReadKey, Some(&row), None, now)?;
    let outlook = if asks_meter(&record, &command.case) {
        let ahead = LookAhead { limits: record.limits, version: record.version, cost: command.case.cost() };
        meters.look_ahead(command.id, &ahead).await
    } else {
        None
    };
    Ok(explain(&record, command.secret.as_ref(), outlook.as_ref(), &command.case, keyring, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::MemoryDatabase;
    use crate::registry::{
        keys,
        kv_replica::memory::expect_ready,
        meters::memory::MemoryMeters,
        testing::{NOW, OWNER, STRANGER, create, keyring, new_key, origin, workspace},
    };
    use ownchat_domain::{
        account::PersonId,
        digest::SecretHash,
        environment::Environment,
        explain::{Case, CheckResult, Target},
        key::NewKey,
        limit::{Period, Quota},
        locator::{KeyNumber, Locator},
        scope::ScopeSet,
        vault::registry::DeleteKey,
    };

    fn command(id: Locator, person: PersonId, environment: Option<Environment>) -> ExplainCall {
        let wanted = Target::Scopes(ScopeSet::from_names(["contacts:read"]).unwrap(), None);
        let case = Case { wanted, address: None, environment, at: None, cost: None };
        ExplainCall { caller: person.into(), id, secret: Some(SecretHash::from_bytes([3; 32])), case }
    }

    fn explained(database: &MemoryDatabase, command: &ExplainCall) -> CommandResult<Explanation> {
        expect_ready(explain_call(database, &keyring(), &MemoryMeters::default(), command, NOW))
    }

    #[test]
    fn the_current_state_is_explained() {
        let database = workspace();
        let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        let code = || explained(&database, &command(key.id, OWNER, None)).unwrap().code;
        assert_eq!(code(), "VALID");
        let delete = DeleteKey { origin: origin(OWNER), id: key.id, version: 1 };
        keys::delete(&database, &delete, NOW).unwrap();
        assert_eq!(code(), "UNKNOWN_KEY");
    }

    #[test]
    fn keys_of_others_are_not_explained() {
        let database = workspace();
        let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        let explain_code = |command: &ExplainCall| explained(&database, command).map(|explanation| explanation.code);
        assert_eq!(explain_code(&command(key.id, STRANGER, None)), Err(Failure::NotFound.into()));
        let live = Some(Environment::Live);
        let elsewhere = Locator::issue(&keyring(), KeyNumber { workspace: 8, number: 1 }, Environment::Live);
        assert_eq!(explain_code(&command(elsewhere, OWNER, live)), Err(Failure::NotFound.into()));
        let made_up = "0123456789abcdef".parse().unwrap();
        assert_eq!(explain_code(&command(made_up, OWNER, live)), Ok("MALFORMED_KEY".into()));
        assert_eq!(explain_code(&command(made_up, OWNER, None)), Err(Failure::NotFound.into()));
    }

    #[test]
    fn a_meter_that_is_down_leaves_the_limit_unknown() {
        let database = workspace();
        let quota = Some(Quota { limit: 3, period: Period::Day });
        let key = create(&database, NewKey { quota, ..new_key("Shop", &["contacts:read"]) }, NOW).unwrap();
        let meters = MemoryMeters { now: NOW, ..MemoryMeters::default() };
        let with_cost = |cost| {
            let mut command = command(key.id, OWNER, None);
            command.case.cost = Some(cost);
            expect_ready(explain_call(&database, &keyring(), &meters, &command, NOW)).unwrap()
        };
        assert_eq!((with_cost(3).code.as_str(), with_cost(4).code.as_str()), ("VALID", "QUOTA_EXCEEDED"));
        meters.failing.borrow_mut().push(key.id);
        let unknown = with_cost(4);
        assert_eq!((unknown.code.as_str(), unknown.checks.last().unwrap().result), ("VALID", CheckResult::Unknown));
        let mut later = command(key.id, OWNER, None);
        later.case.at = Some(NOW.plus(1));
        let later = expect_ready(explain_call(&database, &keyring(), &meters, &later, NOW)).unwrap();
        assert_eq!(later.checks.last().unwrap().result, CheckResult::NotLookedAt, "the future remainder is unknown");
    }
}
