//! Requests to the meters of limited keys.

use super::{call_vault, random_u64};
use crate::{
    authorizer::Authorizer,
    edge::Edge,
    key_check::Decision,
    platform::{ErrorText, Platform, now},
    timeouts::METER,
};
use ownchat_domain::{
    meter::{self, Lease, LeaseRequest, LeaseResponse, LimitState, Refusal},
    record::Record,
    vault::permits_path,
};
use std::rc::Rc;

/// Leases permits from the meter of a limited key. Returns the denial if it is final. Without a
/// response nobody passes.
pub(super) async fn lease_permits(
    edge: &Edge,
    platform: &Platform,
    record: &Rc<Record>,
    cost: u32,
) -> Option<Decision> {
    let requested_at = now();
    let request = edge.authorizer.lease_request(record, cost, random_u64(), requested_at);
    match call_meter(platform, record, &request).await {
        Ok(LeaseResponse::Lease(lease)) => {
            edge.authorizer.add_lease(record, lease, requested_at, now());
            None
        }
        Ok(LeaseResponse::Refused(refusal)) => {
            edge.authorizer.apply_refusal(record, cost, refusal, requested_at, now())
        }
        Err(error) => {
            platform.log_error(&format!("{}: meter: {error}", record.locator));
            edge.authorizer.lease_request_failed(record, request, now());
            Some(Authorizer::unavailable(Some(record.clone())))
        }
    }
}

/// Reads the standing of a limited key from its meter. Without a response it stays unknown.
pub(super) async fn read_standing(edge: &Edge, platform: &Platform, record: &Record) {
    let (limits, version) = (record.limits, record.version);
    let request = LeaseRequest { limits, version, ..LeaseRequest::default() };
    let standing = match call_meter(platform, record, &request).await {
        Ok(LeaseResponse::Lease(Lease { standing, .. }) | LeaseResponse::Refused(Refusal { standing, .. })) => standing,
        Err(error) => {
            platform.log_warning(&format!("{}: meter: {error}", record.locator));
            LimitState::default()
        }
    };
    edge.authorizer.set_standing(record, standing, now());
}

pub(super) async fn call_meter(
    platform: &Platform,
    record: &Record,
    request: &LeaseRequest,
) -> Result<LeaseResponse, ErrorText> {
    let body = meter::encode(request).map_err(|error| error.to_string())?;
    let response = call_vault(platform, &permits_path(record.locator), Some(body), METER).await?;
    meter::decode(&response).map_err(|error| error.to_string())
}
