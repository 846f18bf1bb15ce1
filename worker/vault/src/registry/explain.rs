//! What the edge would say to a call, from the truth.

use super::{
    members::member,
    rows::{find, record},
};
use crate::{answer::Done, database::Database};
use ownchat_domain::{
    explain::{Explanation, explain, forged},
    failure::Failure,
    keyring::Keyring,
    role::Command,
    time::Timestamp,
    vault::registry::ExplainCall,
};

/// Explains a call with a key of this workspace, deleted or not. A key of another one is not known here.
pub fn explain_call(
    database: &impl Database,
    keyring: &Keyring,
    call: &ExplainCall,
    now: Timestamp,
) -> Done<Explanation> {
    let member = member(database, &call.caller)?;
    let (Some(row), Some(record)) = (find(database, call.id)?, record(database, call.id, now)?) else {
        // Of what nobody ever issued everybody may be told that.
        let issued = call.case.environment.is_none_or(|environment| call.id.open(keyring, environment).is_some());
        return if issued { Err(Failure::NotFound.into()) } else { Ok(forged(&call.case, now)) };
    };
    member.may(Command::ReadKey, Some(&row), None, now)?;
    Ok(explain(&record, call.secret.as_ref(), &call.case, keyring, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{
        keys,
        testing::{NOW, OWNER, STRANGER, create, keyring, new_key, origin, workspace},
    };
    use ownchat_domain::{
        account::PersonId,
        digest::SecretHash,
        explain::{Case, Wanted},
        locator::{Address, Locator},
        scope::ScopeSet,
        token::Environment,
        vault::registry::DeleteKey,
    };

    fn call(id: Locator, person: PersonId, environment: Option<Environment>) -> ExplainCall {
        let wanted = Wanted::Scopes(ScopeSet::from_names(["contacts:read"]).unwrap(), None);
        let case = Case { wanted, address: None, environment, at: None };
        ExplainCall { caller: person.into(), id, secret: Some(SecretHash::from_bytes([3; 32])), case }
    }

    #[test]
    fn the_truth_is_explained() {
        let database = workspace();
        let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        let code = || explain_call(&database, &keyring(), &call(key.id, OWNER, None), NOW).unwrap().code;
        assert_eq!(code(), "VALID");
        let delete = DeleteKey { origin: origin(OWNER), id: key.id, version: 1 };
        keys::delete(&database, &delete, NOW).unwrap();
        assert_eq!(code(), "UNKNOWN_KEY");
    }

    #[test]
    fn of_keys_of_others_nothing_is_told() {
        let database = workspace();
        let key = create(&database, new_key("Shop", &["contacts:read"]), NOW).unwrap();
        let ask =
            |call: &ExplainCall| explain_call(&database, &keyring(), call, NOW).map(|explanation| explanation.code);
        assert_eq!(ask(&call(key.id, STRANGER, None)), Err(Failure::NotFound.into()));
        let live = Some(Environment::Live);
        let elsewhere = Locator::issue(&keyring(), Address { workspace: 8, number: 1 }, Environment::Live);
        assert_eq!(ask(&call(elsewhere, OWNER, live)), Err(Failure::NotFound.into()));
        let made_up = "0123456789abcdef".parse().unwrap();
        assert_eq!(ask(&call(made_up, OWNER, live)), Ok("MALFORMED_KEY".into()));
        assert_eq!(ask(&call(made_up, OWNER, None)), Err(Failure::NotFound.into()));
    }
}
