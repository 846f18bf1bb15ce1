//! `/api/v1/export` and `/api/v1/import`: stream the workspace as a file
//! ([`ownchat_domain::transfer`]). Neither ever holds the whole file in memory.

mod lines;

use super::{body::is_one_of, json};
use crate::{problem, request_context::RequestContext, texts, use_cases::caller::call};
use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream::try_unfold};
use lines::Lines;
use ownchat_domain::{
    failure::Failure,
    problem::UNSUPPORTED_MEDIA_TYPE,
    transfer::{ExportLine, LineHash, MEDIA_TYPE},
    vault::transfer::{ExportCursor, ExportPart, FinishImport, Imported, ReadExport, StageImport},
};
use std::io;

/// `GET /api/v1/export`
pub async fn export(context: RequestContext) -> Response {
    // Read the first part before the response begins, so that a refusal has its own status.
    match read(&context, None).await {
        Ok(first) => {
            let mut response = Body::from_stream(file(context, first)).into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            let attachment = HeaderValue::from_static("attachment; filename=\"ownchat-workspace.ndjson\"");
            headers.insert(CONTENT_DISPOSITION, attachment);
            response
        }
        Err(failure) => problem::of_failure(&failure),
    }
}

/// Reads the part of an export after a cursor.
async fn read(context: &RequestContext, after: Option<ExportCursor>) -> Result<ExportPart, Failure> {
    call(context, |origin| ReadExport { origin, after }).await
}

/// The next step of an export.
enum ExportStep {
    Part(ExportPart),
    Read(ExportCursor),
    End,
}

/// Streams the file part by part. A concurrent change aborts it, so its last line is missing.
fn file(context: RequestContext, first: ExportPart) -> impl futures_util::Stream<Item = io::Result<String>> + Send {
    try_unfold((context, LineHash::default(), ExportStep::Part(first)), async |(context, mut hash, next)| {
        let part = match next {
            ExportStep::Part(part) => part,
            ExportStep::Read(cursor) => {
                read(&context, Some(cursor)).await.map_err(|failure| io::Error::other(failure.to_string()))?
            }
            ExportStep::End => return Ok(None),
        };
        let mut text = String::new();
        for line in part.lines {
            hash.add(&line);
            text.push_str(&line);
            text.push('\n');
        }
        let next = if let Some(cursor) = part.next {
            ExportStep::Read(cursor)
        } else {
            text.push_str(&ExportLine::End(hash.trailer()).write());
            text.push('\n');
            ExportStep::End
        };
        Ok(Some((text, (context, hash, next))))
    })
}

/// `POST /api/v1/import`
pub async fn import(context: RequestContext, request: Request) -> Response {
    if !is_one_of(&[MEDIA_TYPE], request.headers()) {
        return problem::of_kind(&UNSUPPORTED_MEDIA_TYPE, texts::IMPORT_MEDIA_TYPE);
    }
    json(take(&context, request.into_body()).await)
}

/// Stages lines of an import. `first` is the number of the first of them.
async fn stage(context: &RequestContext, first: u64, lines: Vec<String>) -> Result<(), Failure> {
    call(context, |origin| StageImport { origin, first, lines }).await
}

async fn take(context: &RequestContext, body: Body) -> Result<Imported, Failure> {
    let mut body = body.into_data_stream();
    // Stage an empty batch first: it discards an earlier file, even if this one is empty.
    stage(context, 1, Vec::new()).await?;
    let mut lines = Lines::default();
    while let Some(chunk) = body.next().await {
        // The client has disconnected, or the platform has cut the body.
        lines.take(&chunk.map_err(|_| Failure::Unavailable)?)?;
        while let Some((first, batch)) = lines.batch() {
            stage(context, first, batch).await?;
        }
    }
    let (first, rest) = lines.finish()?;
    stage(context, first, rest).await?;
    call(context, |origin| FinishImport { origin }).await
}
