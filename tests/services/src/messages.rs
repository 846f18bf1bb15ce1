//! Handlers of `/v1/messages`.

use crate::{
    answer::{Answer, bad_field, body, created, done, missing, ok},
    gate::{SignedPrincipal, now},
    world::{Message, WorldsState},
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

/// Maximum length of a message, in characters.
const TEXT_MAX: usize = 4_096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMessage {
    to: String,
    text: String,
}

/// Handles `GET /v1/messages`.
pub async fn list(State(worlds): WorldsState, Extension(who): SignedPrincipal) -> Response {
    let data: Vec<Message> = worlds.of(&who, |world| world.messages.values().cloned().collect());
    ok(&json!({"data": data, "next_cursor": null}))
}

/// Handles `GET /v1/messages/{id}`.
pub async fn read(State(worlds): WorldsState, Extension(who): SignedPrincipal, Path(id): Path<String>) -> Answer {
    worlds.of(&who, |world| world.messages.get(&id).map(ok)).ok_or_else(missing)
}

/// Handles `POST /v1/messages`. `to` is the id of a contact.
pub async fn send(State(worlds): WorldsState, Extension(who): SignedPrincipal, request: Body) -> Answer {
    let draft: NewMessage = body(request).await?;
    let text = text::paragraph(&draft.text, TEXT_MAX).map_err(|why| bad_field("text", why))?;
    if text.is_empty() {
        return Err(bad_field("text", "This cannot be empty."));
    }
    worlds.of(&who, |world| {
        if !world.contacts.contains_key(&draft.to) {
            return Err(bad_field("to", "There is no contact with this id."));
        }
        let conversation = world.conversation_with(&draft.to);
        Ok(created(&world.say(&conversation, "business", text, "queued", now())))
    })
}

/// Handles `DELETE /v1/messages/{id}`.
pub async fn retract(State(worlds): WorldsState, Extension(who): SignedPrincipal, Path(id): Path<String>) -> Answer {
    worlds.of(&who, |world| world.messages.remove(&id)).map(|_| done()).ok_or_else(missing)
}
