//! Events of sessions, for the audit trail of the workspace.

use crate::{
    vault::ask,
    visitor::{Credential, Visitor},
};
use ownchat_domain::{
    account::PersonId,
    audit::Action,
    vault::{Object, person::NoteEvent},
};
use worker::console_log;

/// Notes an event of the session of the request, if it has one that is good, before that ends.
pub async fn of_session(visitor: &Visitor, action: Action) {
    if let Credential::Session(token) = &*visitor.credential {
        let session = Some(token.hash());
        let call =
            NoteEvent { action, session, address: visitor.address.clone(), request_id: visitor.request_id.clone() };
        // The log tells of a failure already. It stops nothing.
        let _ = ask(&visitor.env, Object::Person(token.person), &call).await;
    }
}

/// Notes an event of an account after the response: nobody can tell from the time whether there is
/// such an account. Of an address that nobody has, only the log tells.
pub fn of_account(visitor: &Visitor, person: Option<PersonId>, action: Action) {
    let (address, request_id) = (visitor.address.clone(), visitor.request_id.clone());
    let Some(person) = person else {
        console_log!("{{\"event\":\"{}\",\"address\":\"{address}\",\"request_id\":\"{request_id}\"}}", action.as_str());
        return;
    };
    let env = visitor.env.clone();
    visitor.context.wait_until(async move {
        let call = NoteEvent { action, session: None, address, request_id };
        let _ = ask(&env, Object::Person(person), &call).await;
    });
}
