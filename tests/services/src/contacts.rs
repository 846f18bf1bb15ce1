//! Handlers of `/v1/contacts`.

use crate::{
    answer::{Answer, bad_field, body, created, done, missing, ok},
    gate::{SignedPrincipal, now},
    world::{Contact, World, WorldsState},
};
use axum::{
    Extension,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use ownchat_domain::{account, principal::Principal, scope::Scope, text};
use serde::Deserialize;
use serde_json::json;

/// Maximum and default size of a page, in contacts.
const PAGE: usize = 100;

/// Cursor and limit of a page.
#[derive(Deserialize)]
pub struct PageQuery {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Fields of a contact that a caller can set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactDraft {
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    q: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tags {
    tags: Vec<String>,
}

/// Handles `GET /v1/contacts`.
pub async fn list(
    State(worlds): WorldsState,
    Extension(who): SignedPrincipal,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Answer {
    let Query(page) = page.map_err(|_| bad_field("limit", "Write a number."))?;
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(bad_field("limit", format!("Ask for 1 to {PAGE} contacts.")));
    }
    let after = page.cursor.unwrap_or_default();
    let mut found: Vec<Contact> = worlds.of(&who, |world| {
        world.contacts.values().filter(|contact| contact.id > after).take(limit + 1).cloned().collect()
    });
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|contact| contact.id.clone());
    let data: Vec<_> = found.into_iter().map(|contact| shown(contact, &who)).collect();
    Ok(ok(&json!({"data": data, "next_cursor": next_cursor})))
}

/// Handles `POST /v1/contacts/search`.
pub async fn search(State(worlds): WorldsState, Extension(who): SignedPrincipal, request: Body) -> Answer {
    let search: Search = body(request).await?;
    let text = search.q.to_lowercase();
    let data: Vec<Contact> = worlds.of(&who, |world| {
        let hits = world.contacts.values().filter(|contact| contact.name.to_lowercase().contains(&text));
        hits.take(PAGE).cloned().map(|contact| shown(contact, &who)).collect()
    });
    Ok(ok(&json!({"data": data, "next_cursor": null})))
}

/// Handles `GET /v1/contacts/export`.
pub async fn export(State(worlds): WorldsState, Extension(who): SignedPrincipal) -> Response {
    let data: Vec<Contact> =
        worlds.of(&who, |world| world.contacts.values().cloned().map(|contact| shown(contact, &who)).collect());
    ok(&json!({"data": data}))
}

/// Handles `GET /v1/contacts/{id}`.
pub async fn read(State(worlds): WorldsState, Extension(who): SignedPrincipal, Path(id): Path<String>) -> Answer {
    let found = worlds.of(&who, |world| world.contacts.get(&id).cloned());
    found.map(|contact| ok(&shown(contact, &who))).ok_or_else(missing)
}

/// Handles `POST /v1/contacts`.
pub async fn create(State(worlds): WorldsState, Extension(who): SignedPrincipal, request: Body) -> Answer {
    let draft: ContactDraft = body(request).await?;
    if draft.name.is_none() {
        return Err(bad_field("name", "This is required."));
    }
    let time = now();
    let mut contact = Contact {
        id: String::new(),
        name: String::new(),
        phone: String::new(),
        email: String::new(),
        tags: Vec::new(),
        created_at: time,
        updated_at: time,
    };
    draft.apply(&mut contact)?;
    let contact = worlds.of(&who, |world: &mut World| {
        contact.id = world.next("c");
        world.contacts.insert(contact.id.clone(), contact.clone());
        contact
    });
    Ok(created(&shown(contact, &who)))
}

/// Handles `PATCH /v1/contacts/{id}`.
pub async fn change(
    State(worlds): WorldsState,
    Extension(who): SignedPrincipal,
    Path(id): Path<String>,
    request: Body,
) -> Answer {
    let draft: ContactDraft = body(request).await?;
    let changed = worlds.of(&who, |world| {
        let contact = world.contacts.get_mut(&id).ok_or_else(missing)?;
        // Changed whole or not at all.
        let mut after = contact.clone();
        draft.apply(&mut after)?;
        after.updated_at = now();
        *contact = after.clone();
        Ok(after)
    });
    changed.map(|contact| ok(&shown(contact, &who)))
}

/// Handles `PUT /v1/contacts/{id}/tags`.
pub async fn tag(
    State(worlds): WorldsState,
    Extension(who): SignedPrincipal,
    Path(id): Path<String>,
    request: Body,
) -> Answer {
    let Tags { tags } = body(request).await?;
    let draft = ContactDraft { name: None, phone: None, email: None, tags: Some(tags) };
    let changed = worlds.of(&who, |world| {
        let contact = world.contacts.get_mut(&id).ok_or_else(missing)?;
        draft.apply(contact)?;
        contact.updated_at = now();
        Ok(contact.clone())
    });
    changed.map(|contact| ok(&shown(contact, &who)))
}

/// Handles `DELETE /v1/contacts/{id}`.
pub async fn delete(State(worlds): WorldsState, Extension(who): SignedPrincipal, Path(id): Path<String>) -> Answer {
    worlds.of(&who, |world| world.contacts.remove(&id)).map(|_| done()).ok_or_else(missing)
}

impl ContactDraft {
    /// Sets the given fields of a contact. Fails without any change if one of them is invalid.
    fn apply(&self, contact: &mut Contact) -> Result<(), Response> {
        let mut after = contact.clone();
        if let Some(name) = &self.name {
            after.name = text::line(name, 100).map_err(|why| bad_field("name", why))?;
        }
        if let Some(phone) = &self.phone {
            after.phone = text::line(phone, 40).map_err(|why| bad_field("phone", why))?;
        }
        if let Some(email) = &self.email {
            after.email = account::email(email).map_err(|why| bad_field("email", why))?;
        }
        if let Some(tags) = &self.tags {
            let tags: Result<Vec<_>, _> = tags.iter().map(|tag| text::line(tag, 50)).collect();
            after.tags = tags.map_err(|why| bad_field("tags", why))?;
        }
        *contact = after;
        Ok(())
    }
}

/// Masks the personal data of a contact for callers without `contacts:pii`.
fn shown(mut contact: Contact, who: &Principal) -> Contact {
    let may_see = "contacts:pii".parse::<Scope>().is_ok_and(|scope| who.scopes.allows(scope));
    if !may_see {
        contact.phone = mask(&contact.phone, 3, 2);
        contact.email = match contact.email.split_once('@') {
            Some((name, domain)) => format!("{}@{domain}", mask(name, 1, 0)),
            None => String::new(),
        };
    }
    contact
}

/// Puts stars for all characters but the first, the last, and spaces.
fn mask(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let keep = |place: usize, c: char| if place < first || place + last >= length || c == ' ' { c } else { '*' };
    text.chars().enumerate().map(|(place, c)| keep(place, c)).collect()
}
