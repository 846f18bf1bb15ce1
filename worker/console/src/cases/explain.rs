//! Explaining what the edge would say to a call.

use super::caller::{ask, caller, check};
use crate::visitor::Visitor;
use ownchat_domain::{
    explain::{Case, Explanation, Subject, malformed},
    failure::Failure,
    time::Timestamp,
    vault::registry::ExplainCall,
};

/// Explains a call. A credential goes no further than here: the registry is asked with the hash of its secret.
pub async fn explain(visitor: &Visitor, subject: Subject, case: Case, now: Timestamp) -> Result<Explanation, Failure> {
    let (id, secret) = match subject {
        Subject::Malformed(error) => {
            // The registry is not asked about that, only whether the caller may ask.
            check(visitor).await?;
            return Ok(malformed(error, &case, now));
        }
        Subject::Id(id) => (id, None),
        Subject::Key(id, _, hash) => (id, Some(hash)),
    };
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ExplainCall { caller, id, secret, case }).await
}
