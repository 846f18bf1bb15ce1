//! Dry run of the edge's decision: every check in order, with the values that it compares.
//!
//! The checks and their order are those of [`crate::checks`]. Route and credential come before them
//! and the limits after them, as for a real request. No check runs where the edge gives the same
//! response for any key. The explanation never repeats any part of a credential.

mod request;

pub use request::{Case, ExplainRequest, ExplainedKey, Target};

use crate::{
    checks::{AccessRequest, CHECKS, Check},
    digest::SecretHash,
    environment::Environment,
    keyring::Keyring,
    limit::Limits,
    meter::{Outlook, Remaining},
    problem::ProblemKind,
    record::{Record, RecordSecret},
    time::{Timestamp, whole_seconds},
    token::TokenError,
    verdict::{Code, Denial},
};
use request::{PublicResponse, Routing};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// The request passes the check.
    Passed,
    /// The request fails the check, and is refused for it unless an earlier check fails.
    Failed,
    /// The check did not run: an input is missing, or the edge skips it.
    NotLookedAt,
    /// The check could not run: the key's meter did not respond.
    Unknown,
}

/// One check and its result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    /// Name of the check.
    pub check: String,
    /// Result of the check.
    pub result: CheckResult,
    /// Compared values by name, as a JSON object.
    pub compared: Box<RawValue>,
    /// Reason for the refusal, or for not running the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Response that the edge would give.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// Code of the response: `VALID`, or the code of the first failed check.
    pub code: String,
    /// HTTP status of the edge; 200 also stands for a forwarded request.
    pub status: u16,
    /// Fault and how to fix it.
    pub detail: String,
    /// Id of the key, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Time of the request.
    pub at: Timestamp,
    /// Every check, in the order in which the edge runs them.
    pub checks: Vec<CheckReport>,
}

/// JSON object of compared values, under construction.
struct Compared(String);

impl Compared {
    const fn nothing() -> Self {
        Self(String::new())
    }

    fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        self.0.push_str(if self.0.is_empty() { "\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
        // Serialising cannot fail: values are texts, numbers and lists of them.
        self.0.push_str(&serde_json::to_string(value).unwrap_or_default());
        self
    }

    fn into_json(self) -> Box<RawValue> {
        RawValue::from_string(format!("{{{}}}", self.0)).unwrap_or_default()
    }
}

/// Collected checks with the first refusal, or with the fixed response for any key.
#[derive(Default)]
struct Findings {
    checks: Vec<CheckReport>,
    refusal: Option<(String, u16, String)>,
    open: Option<PublicResponse>,
}

impl Findings {
    fn note(&mut self, check: &str, result: CheckResult, detail: Option<String>, compared: Compared) {
        let (result, detail) = match self.open {
            Some(_) => (CheckResult::NotLookedAt, Some("The edge looks at no key here.".to_owned())),
            None => (result, detail),
        };
        self.checks.push(CheckReport { check: check.to_owned(), result, compared: compared.into_json(), detail });
    }

    /// Records a response that the edge gives for any key. Later checks do not run.
    fn answer(&mut self, check: &str, open: PublicResponse, compared: Compared) {
        self.note(check, CheckResult::Passed, None, compared);
        self.open = Some(open);
    }

    fn judge(&mut self, check: &str, denial: Option<&Denial>, compared: Compared) {
        let Some(denial) = denial else { return self.note(check, CheckResult::Passed, None, compared) };
        let kind = ProblemKind::of(denial.code());
        self.refuse(check, kind, denial.detail(), compared);
    }

    fn refuse(&mut self, check: &str, kind: &ProblemKind, detail: String, compared: Compared) {
        self.note(check, CheckResult::Failed, Some(detail.clone()), compared);
        self.refusal.get_or_insert((kind.code.to_owned(), kind.status, detail));
    }

    fn skip(&mut self, check: &str, why: &str, compared: Compared) {
        self.note(check, CheckResult::NotLookedAt, Some(why.to_owned()), compared);
    }

    fn finish(self, key_id: Option<String>, at: Timestamp) -> Explanation {
        let open = |result: CheckResult, what: &str| {
            let checks = self.checks.iter().filter(|finding| finding.result == result);
            let checks: Vec<&str> = checks.map(|finding| finding.check.as_str()).collect();
            if checks.is_empty() { String::new() } else { format!(" {what}: {}.", checks.join(", ")) }
        };
        let rest = open(CheckResult::NotLookedAt, "Not looked at") + &open(CheckResult::Unknown, "Not known");
        let valid = |status: u16, detail: String| (Code::Valid.as_str().to_owned(), status, detail);
        let (code, status, detail) = match (self.open, self.refusal) {
            (Some(open), _) => valid(open.status, open.detail.to_owned()),
            (None, Some(refusal)) => refusal,
            (None, None) => valid(200, format!("The edge lets this call pass.{rest}")),
        };
        Explanation { code, status, detail, key_id, at, checks: self.checks }
    }
}

/// Explains a request whose credential does not have the format of a key.
pub fn malformed(error: TokenError, case: &Case, now: Timestamp) -> Explanation {
    let mut found = Findings::default();
    route(&mut found, case);
    found.judge("shape", Some(&Denial::Malformed(error)), Compared::nothing());
    found.finish(None, case.at.unwrap_or(now))
}

/// Explains a request whose credential has the format of a key but was never issued.
pub fn forged(case: &Case, now: Timestamp) -> Explanation {
    let mut found = Findings::default();
    route(&mut found, case);
    found.judge("tag", Some(&Denial::Forged), Compared::nothing());
    found.finish(None, case.at.unwrap_or(now))
}

/// Explains a request with the key of `record`.
///
/// `presented` is the hash of the presented secret, if known. `outlook` is the prediction of the
/// key's meter, if it responded. The meter is needed only if [`asks_meter`] returns true.
pub fn explain(
    record: &Record,
    presented: Option<&SecretHash>,
    outlook: Option<&Outlook>,
    case: &Case,
    keyring: &Keyring,
    now: Timestamp,
) -> Explanation {
    let at = case.at.unwrap_or(now);
    let mut found = Findings::default();
    route(&mut found, case);
    tag(&mut found, record, case.environment);
    let secret = secret(&mut found, record, presented, keyring);
    let channel = case.channel();
    let call = AccessRequest { required: case.required(), channel: channel.as_deref(), address: case.address };
    for check in CHECKS {
        one(&mut found, check, record, secret, &call, at);
    }
    limits(&mut found, record, outlook, case);
    found.finish(Some(record.locator.to_string()), at)
}

fn route(found: &mut Findings, case: &Case) {
    let Target::Route { method, path } = &case.wanted else { return };
    let compared =
        |pattern: Option<&str>| Compared::nothing().with("method", method).with("path", path).with("route", &pattern);
    match Routing::of(method, path) {
        Routing::Keyed(pattern) => found.judge("route", None, compared(Some(pattern))),
        Routing::PublicResponse(open) => found.answer("route", open, compared(open.path)),
        Routing::Refused(kind, detail) => found.refuse("route", kind, detail, compared(None)),
    }
}

fn tag(found: &mut Findings, record: &Record, environment: Option<Environment>) {
    let written = environment.unwrap_or(record.environment);
    let denial = (written != record.environment).then_some(Denial::Forged);
    let compared = Compared::nothing().with("environment", &written).with("issued_for", &record.environment);
    found.judge("tag", denial.as_ref(), compared);
}

/// Returns the secret that matches `presented`, or the newest one without `presented`.
fn secret<'a>(
    found: &mut Findings,
    record: &'a Record,
    presented: Option<&SecretHash>,
    keyring: &Keyring,
) -> Option<&'a RecordSecret> {
    let Some(presented) = presented else {
        let newest = record.secrets.last();
        let compared = Compared::nothing().with("secret", &newest.map(|secret| secret.number));
        found.skip("secret", "No key was given; the newest secret is taken.", compared);
        return newest;
    };
    let secret = record.recognise(presented, keyring);
    let denial = secret.is_none().then_some(Denial::Unknown);
    let compared = Compared::nothing().with("secret", &secret.map(|secret| secret.number));
    found.judge("secret", denial.as_ref(), compared);
    secret
}

/// Records one check of the policy.
fn one(
    found: &mut Findings,
    check: Check,
    record: &Record,
    secret: Option<&RecordSecret>,
    call: &AccessRequest<'_>,
    at: Timestamp,
) {
    let (name, compared) = compared(check, record, secret, call, at);
    let Some(secret) = secret.or_else(|| record.secrets.last().filter(|_| check != Check::SecretEndsAt)) else {
        return found.skip(name, "It is not known which secret comes with the call.", compared);
    };
    if check == Check::Address && call.address.is_none() && !record.networks.is_empty() {
        return found.skip(name, "Say from which address the call comes.", compared);
    }
    found.judge(name, check.refusal(record, secret, call, at).as_ref(), compared);
}

/// Returns the name of a check and the values that it compares.
fn compared(
    check: Check,
    record: &Record,
    secret: Option<&RecordSecret>,
    call: &AccessRequest<'_>,
    at: Timestamp,
) -> (&'static str, Compared) {
    let none = Compared::nothing();
    match check {
        Check::Workspace => ("workspace", none.with("suspended", &record.workspace.suspended)),
        Check::Deleted => ("deleted", none.with("deleted", &record.deleted)),
        Check::Active => ("active", none.with("active", &record.active)),
        Check::NotBefore => ("not_before", none.with("at", &at).with("not_before", &record.not_before)),
        Check::ExpiresAt => ("expires_at", none.with("at", &at).with("expires_at", &record.expires_at)),
        Check::SecretEndsAt => {
            ("secret_ends_at", none.with("at", &at).with("ends_at", &secret.and_then(|secret| secret.ends_at)))
        }
        Check::Address => (
            "address",
            none.with("address", &call.address)
                .with("allow", &record.networks.allow)
                .with("deny", &record.networks.deny),
        ),
        Check::Scopes => (
            "scopes",
            none.with("required", &call.required)
                .with("granted", &record.scopes)
                .with("missing", &record.scopes.missing(call.required)),
        ),
        Check::Channel => ("channel", none.with("channel", &call.channel).with("channels", &record.channels)),
    }
}

/// Returns true if only the key's meter knows whether the limits admit this request.
pub fn asks_meter(record: &Record, case: &Case) -> bool {
    !record.limits.is_empty() && case.at.is_none() && !case.is_open()
}

/// Records the limit checks, with the prediction of the meter.
fn limits(found: &mut Findings, record: &Record, outlook: Option<&Outlook>, case: &Case) {
    let (cost, standing) = (case.cost(), outlook.map(|outlook| outlook.standing).unwrap_or_default());
    let refusal = outlook.and_then(|outlook| outlook.refusal);
    let retry_after = |by_quota: bool, wait: i64| match refusal {
        Some(refusal) if refusal.by_quota == by_quota => refusal.retry_after,
        _ => wait,
    };
    let denial = |by_quota: bool, left: Option<Remaining>| {
        let short = left.filter(|left| cost > left.permits)?;
        Some(Denial::by_limit(&record.limits, by_quota, cost, retry_after(by_quota, short.refills_in)))
    };
    let (by_rate, by_quota) = (denial(false, standing.rate), denial(true, standing.quota));
    let Limits { rate, quota } = record.limits;
    limit(found, case, ("rate_limit", &rate), standing.rate, by_rate.as_ref());
    limit(found, case, ("quota", &quota), standing.quota, by_quota.as_ref());
}

/// Records one limit. `left` is the rest of it, if known.
fn limit<T: Serialize>(
    found: &mut Findings,
    case: &Case,
    (name, limit): (&str, &Option<T>),
    left: Option<Remaining>,
    denial: Option<&Denial>,
) {
    let compared = Compared::nothing().with(name, limit);
    if limit.is_none() {
        return found.judge(name, None, compared);
    }
    let compared = compared.with("cost", &case.cost());
    if case.at.is_some() {
        return found.skip(name, "How much is left is known for the present only; leave out at.", compared);
    }
    let compared = compared
        .with("remaining", &left.map(|left| left.permits))
        .with("reset_seconds", &left.map(|left| whole_seconds(left.refills_in)));
    if left.is_none() && case.cost() > 0 {
        let why = "The meter of the key has not answered, so how much is left is not known now.";
        return found.note(name, CheckResult::Unknown, Some(why.to_owned()), compared);
    }
    found.judge(name, denial, compared);
}

#[cfg(test)]
mod tests;
