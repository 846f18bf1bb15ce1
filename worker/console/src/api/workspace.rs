//! `/api/v1/workspace`, `/api/v1/master-secrets`, `/api/v1/audit` and `/api/v1/scopes`: settings,
//! master secrets in use, audit trail, scope catalogue.

use super::{
    body::{MemberBody, authenticate_first},
    condition, json,
    keys::effective,
    pairs, read_query,
};
use crate::{problem, request_context::RequestContext, use_cases::caller::call};
use axum::{
    Json,
    extract::RawQuery,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, LINK},
    },
    response::{IntoResponse, Response},
};
use ownchat_domain::{
    audit::csv,
    failure::Failure,
    scope::{Scope, ScopeTexts},
    vault::{
        masters::ReadMasters,
        registry::{ChangeSettings, ChangedSettings, ReadSettings, ReadTrail, Settings, TrailQuery},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `GET /api/v1/workspace`
pub async fn read(context: RequestContext) -> Response {
    shown(call(&context, |origin| ReadSettings { caller: origin.caller }).await)
}

/// Changes to the settings, as a merge patch (RFC 7396).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsPatch {
    /// True to refuse all keys.
    suspended: Option<bool>,
    /// Seconds for which cached keys stay valid while the revocation feed cannot be read.
    outage_seconds: Option<u32>,
    /// Reason, for the audit trail.
    reason: Option<String>,
}

/// `PATCH /api/v1/workspace`
pub async fn change(
    context: RequestContext,
    headers: HeaderMap,
    MemberBody(patch): MemberBody<SettingsPatch>,
) -> Response {
    let version = match condition::expected_version(&headers) {
        Ok(version) => version,
        Err(error) => {
            return authenticate_first(&context, problem::of_kind(error.kind(), error.detail())).await;
        }
    };
    let SettingsPatch { suspended, outage_seconds, reason } = patch;
    match call(&context, |origin| ChangeSettings { origin, version, suspended, outage_seconds, reason }).await {
        Ok(ChangedSettings { settings, effective_at }) => effective(shown(Ok(settings)), effective_at),
        Err(failure) => problem::of_failure(&failure),
    }
}

fn shown(outcome: Result<Settings, Failure>) -> Response {
    match outcome {
        Ok(settings) => {
            let tag = HeaderValue::from_str(&format!("\"{}\"", settings.version)).ok();
            let mut response = Json(settings).into_response();
            response.headers_mut().extend(tag.map(|tag| (ETAG, tag)));
            response
        }
        Err(failure) => problem::of_failure(&failure),
    }
}

/// `GET /api/v1/master-secrets`
pub async fn masters(context: RequestContext) -> Response {
    json(call(&context, |origin| ReadMasters { caller: origin.caller }).await)
}

/// The query parameter that selects the format.
#[derive(Deserialize)]
struct FormatQuery {
    #[serde(default)]
    format: TrailFormat,
}

/// Format of the audit trail.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TrailFormat {
    /// An object with the lines and the cursor of the next page.
    #[default]
    Json,
    /// The chained lines, for `cargo xtask audit verify`.
    Ndjson,
    /// CSV for spreadsheets (RFC 4180).
    Csv,
}

/// A page of the audit trail. Its lines are JSON already.
#[derive(Serialize)]
struct TrailPageBody {
    data: Vec<Box<RawValue>>,
    next_cursor: Option<u64>,
}

/// `GET /api/v1/audit`
pub async fn audit(context: RequestContext, RawQuery(parameters): RawQuery) -> Response {
    let parameters = parameters.unwrap_or_default();
    let (format, query) = match format_and_filter(&parameters) {
        Ok(read) => read,
        Err(failure) => return authenticate_first(&context, problem::of_failure(&failure)).await,
    };
    let page = match call(&context, |origin| ReadTrail { caller: origin.caller, query }).await {
        Ok(page) => page,
        Err(failure) => return problem::of_failure(&failure),
    };
    let file = |media, name, body: String| {
        let headers = [(CONTENT_TYPE, media), (CONTENT_DISPOSITION, name)];
        (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), body)
    };
    let mut response = match format {
        TrailFormat::Json => {
            let data = page.lines.into_iter().filter_map(|line| RawValue::from_string(line).ok()).collect();
            Json(TrailPageBody { data, next_cursor: page.next_cursor }).into_response()
        }
        TrailFormat::Ndjson => {
            let lines: String = page.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            let name = "attachment; filename=\"ownchat-audit.ndjson\"";
            file("application/x-ndjson; charset=utf-8", name, lines).into_response()
        }
        TrailFormat::Csv => {
            let name = "attachment; filename=\"ownchat-audit.csv\"";
            file("text/csv; charset=utf-8", name, csv(&page.lines)).into_response()
        }
    };
    if format != TrailFormat::Json
        && let Some(cursor) = page.next_cursor
    {
        // These bodies have no field for a cursor, so headers carry it (RFC 8288).
        let next = HeaderValue::from_str(&format!("<?{}>; rel=\"next\"", next(&parameters, cursor))).ok();
        response.headers_mut().extend(next.map(|next| (LINK, next)));
        response.headers_mut().insert(HeaderName::from_static("next-cursor"), HeaderValue::from(cursor));
    }
    response
}

/// Returns the query for the page after `cursor`. All other parameters stay the same.
fn next(query: &str, cursor: u64) -> String {
    let others = pairs(query).into_iter().filter(|(name, _)| name != "cursor");
    let next: Vec<_> = others.chain([("cursor".to_owned(), cursor.to_string())]).collect();
    serde_urlencoded::to_string(next).unwrap_or_default()
}

/// Reads the format and the filter from a query.
fn format_and_filter(query: &str) -> Result<(TrailFormat, TrailQuery), Failure> {
    let (formats, others): (Vec<_>, Vec<_>) = pairs(query).into_iter().partition(|(name, _)| name == "format");
    let FormatQuery { format } = read_query(formats)?;
    let query: TrailQuery = read_query(others)?;
    Ok((format, query.check()?))
}

/// One scope of the catalogue.
#[derive(Serialize)]
struct ScopeEntry {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    risk: ownchat_domain::scope::Risk,
    #[serde(skip_serializing_if = "Option::is_none")]
    gives: Option<&'static str>,
    opens: Vec<String>,
}

/// `GET /api/v1/scopes`
pub async fn scopes() -> Response {
    let to_entry = |scope: Scope| {
        let info = scope.info();
        let opens = info.routes.iter().map(|(method, path)| format!("{method} {path}")).collect();
        let (name, ScopeTexts { title, description }) = (info.name, scope.texts());
        ScopeEntry { name, title, description, risk: info.risk, gives: info.gives, opens }
    };
    let data: Vec<ScopeEntry> = Scope::all().map(to_entry).collect();
    Json(serde_json::json!({ "data": data })).into_response()
}

#[cfg(test)]
mod tests {
    use super::{format_and_filter, next};
    use ownchat_domain::failure::Failure;

    #[test]
    fn a_cursor_that_no_trail_reaches_is_refused_by_name() {
        assert!(format_and_filter("cursor=9007199254740991").is_ok());
        for cursor in ["9007199254740992", "18446744073709551615"] {
            let Err(Failure::Invalid { errors }) = format_and_filter(&format!("cursor={cursor}")) else {
                unreachable!("{cursor}")
            };
            assert_eq!(errors[0].field, "cursor");
        }
    }

    #[test]
    fn the_next_page_is_of_the_same_lines() {
        for (query, expected) in [
            ("", "cursor=7"),
            ("format=csv&cursor=3&limit=5", "format=csv&limit=5&cursor=7"),
            ("actor=a%26b&from=2026-01-01T00%3A00%3A00Z", "actor=a%26b&from=2026-01-01T00%3A00%3A00Z&cursor=7"),
        ] {
            assert_eq!(next(query, 7), expected);
        }
    }
}
