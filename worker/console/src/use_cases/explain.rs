//! Explains the edge's verdict on a request.

use super::caller::{call, check};
use crate::request_context::{RequestContext, now};
use ownchat_domain::{
    explain::{Case, ExplainedKey, Explanation, malformed},
    failure::Failure,
    vault::registry::ExplainCall,
};

/// Explains a request. The credential stays here: the registry gets only the hash of its secret.
pub async fn explain(context: &RequestContext, subject: ExplainedKey, case: Case) -> Result<Explanation, Failure> {
    let (id, secret) = match subject {
        ExplainedKey::Malformed(error) => {
            // A malformed key needs no registry, but the caller must be authenticated.
            check(context).await?;
            return Ok(malformed(error, &case, now()));
        }
        ExplainedKey::Id(id) => (id, None),
        ExplainedKey::Key(id, _, hash) => (id, Some(hash)),
    };
    call(context, |origin| ExplainCall { caller: origin.caller, id, secret, case }).await
}
