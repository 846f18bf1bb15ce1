//! Explains the edge's verdict on a request.

use super::caller::{ask, caller, check};
use crate::visitor::Visitor;
use ownchat_domain::{
    explain::{Case, Explanation, Subject, malformed},
    failure::Failure,
    time::Timestamp,
    vault::registry::ExplainCall,
};

/// Explains a request. The credential stays here: the registry gets only the hash of its secret.
pub async fn explain(visitor: &Visitor, subject: Subject, case: Case, now: Timestamp) -> Result<Explanation, Failure> {
    let (id, secret) = match subject {
        Subject::Malformed(error) => {
            // A malformed key needs no registry, but the caller must be authenticated.
            check(visitor).await?;
            return Ok(malformed(error, &case, now));
        }
        Subject::Id(id) => (id, None),
        Subject::Key(id, _, hash) => (id, Some(hash)),
    };
    let (caller, registry) = caller(visitor).await?;
    ask(visitor, registry, &ExplainCall { caller, id, secret, case }).await
}
