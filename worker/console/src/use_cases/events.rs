//! Records session events in the audit trail of the workspace.

use crate::{
    log,
    request_context::{RequestContext, RequestCredential},
    vault::ask,
};
use ownchat_domain::{
    account::PersonId,
    audit::Action,
    vault::{Object, person::ReportSessionEvent},
};

/// Records an event of the request's session, if it has a valid one. Call it before the session
/// ends.
pub async fn of_session(context: &RequestContext, action: Action) {
    if let RequestCredential::Session(token) = &*context.credential {
        let session = Some(token.hash());
        let call = ReportSessionEvent {
            action,
            session,
            address: context.address.clone(),
            request_id: context.request_id.clone(),
        };
        // A failure is logged already and must not stop the request.
        let _ = ask(context, Object::Person(token.person), &call).await;
    }
}

/// Records an event of an account after the response, so that response times do not reveal
/// accounts.
/// An event without an account goes only to the log.
pub fn of_account(context: &RequestContext, person: Option<PersonId>, action: Action) {
    let RequestContext { address, request_id, .. } = context.clone();
    let Some(person) = person else {
        return log::info(&request_id, &format!("{} from {address}", action.as_str()));
    };
    let deferred = context.clone();
    context.platform.wait_until(async move {
        let call = ReportSessionEvent { action, session: None, address, request_id };
        let _ = ask(&deferred, Object::Person(person), &call).await;
    });
}
