//! Handlers of `/v1/conversations`.

use crate::{
    answer::{Answer, bad_field, body, missing, ok},
    gate::SignedPrincipal,
    world::{Conversation, Message, WorldsState},
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    response::Response,
};
use ownchat_domain::text;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationPatch {
    status: Option<String>,
    labels: Option<Vec<String>>,
}

/// Handles `GET /v1/conversations`.
pub async fn list(State(worlds): WorldsState, Extension(who): SignedPrincipal) -> Response {
    let data: Vec<Conversation> = worlds.of(&who, |world| world.conversations.values().cloned().collect());
    ok(&json!({"data": data, "next_cursor": null}))
}

/// Handles `GET /v1/conversations/{id}`.
pub async fn read(State(worlds): WorldsState, Extension(who): SignedPrincipal, Path(id): Path<String>) -> Answer {
    worlds.of(&who, |world| world.conversations.get(&id).map(ok)).ok_or_else(missing)
}

/// Handles `GET /v1/conversations/{id}/history`.
pub async fn history(State(worlds): WorldsState, Extension(who): SignedPrincipal, Path(id): Path<String>) -> Answer {
    worlds.of(&who, |world| {
        if !world.conversations.contains_key(&id) {
            return Err(missing());
        }
        let data: Vec<&Message> = world.messages.values().filter(|message| message.conversation_id == id).collect();
        Ok(ok(&json!({"data": data, "next_cursor": null})))
    })
}

/// Handles `PATCH /v1/conversations/{id}`.
pub async fn change(
    State(worlds): WorldsState,
    Extension(who): SignedPrincipal,
    Path(id): Path<String>,
    request: Body,
) -> Answer {
    let draft: ConversationPatch = body(request).await?;
    if draft.status.as_deref().is_some_and(|status| !["open", "closed", "snoozed"].contains(&status)) {
        return Err(bad_field("status", "Choose open, closed or snoozed."));
    }
    let labels: Option<Result<Vec<_>, _>> =
        draft.labels.map(|labels| labels.iter().map(|label| text::line(label, 50)).collect());
    let labels = labels.transpose().map_err(|why| bad_field("labels", why))?;
    worlds.of(&who, |world| {
        let conversation = world.conversations.get_mut(&id).ok_or_else(missing)?;
        conversation.status = draft.status.unwrap_or_else(|| conversation.status.clone());
        conversation.labels = labels.unwrap_or_else(|| conversation.labels.clone());
        Ok(ok(conversation))
    })
}
