//! The dashboard: the list of the workspace's keys, with search, filter and pages.

use super::{message::message, render::page, restrictions::in_one_line};
use crate::{
    components::named::named,
    flash::{Flash, KeyAction},
    islands::{confirm::Confirm, search::SearchField},
    layout::{Frame, NavSection},
    paths,
    request::PageRequest,
    texts::{common, delete, keys as text},
};
use leptos::prelude::*;
use ownchat_domain::{
    key::{Key, KeyPage, KeyQuery, Reason, Sort, Status, StatusFilter},
    locator::Locator,
    scope::Scope,
    time::Timestamp,
};

/// Maximum scopes named in a row. The row counts the others.
const SCOPES_SHOWN: usize = 3;

/// Renders the list of keys.
#[component]
pub fn Page() -> impl IntoView {
    page(|request| async move {
        let identity = request.backend().identity().await?;
        let query = query(&request);
        let filtered = KeyQuery { cursor: None, sort: Sort::default(), ..query.clone() } != KeyQuery::default();
        let keys = request.backend().list_keys(query.clone()).await?;
        let here = paths::back(request.uri()).to_owned();
        let mut flash = request.take_flash();
        if let Some(flash) = flash.as_mut().filter(|flash| flash.action == KeyAction::Pasted) {
            let found = keys.data.iter().find(|key| key.id == flash.id);
            flash.name = found.map(|key| key.name.clone()).unwrap_or_default();
        }
        let is_near = flash.as_ref().is_some_and(|flash| has_namesake(&keys.data, flash));
        let marked = flash.as_ref().map(|flash| flash.id);
        let create = paths::with_back(paths::NEW_KEY.to_owned(), &here);
        let empty = keys.data.is_empty();
        let more = keys.next_cursor.clone().map(|cursor| more_link(&query, cursor));
        let is_first = query.cursor.is_none();
        let counted = (!empty).then(|| count(keys.data.len(), more.is_some() || !is_first));
        let body = match (empty, is_first, filtered) {
            (true, true, false) => empty_state(),
            (true, true, true) => no_results(no_match(&query), paths::KEYS.to_owned(), text::CLEAR_SEARCH),
            (true, false, _) => {
                let first = KeyQuery { cursor: None, ..query.clone() };
                no_results(text::PAGE_EMPTY.to_owned(), list(&first), text::FIRST_PAGE)
            }
            (false, ..) => table(keys, marked, &here, request.backend().now()).into_any(),
        };
        Ok(view! {
            <Frame identity section=NavSection::Settings title=common::API_KEYS breadcrumb=vec![(common::SETTINGS, paths::SETTINGS)]>
                <div class="head">
                    <h1>{common::API_KEYS}</h1>
                    <a class="button button-main" href=create>{common::CREATE}</a>
                </div>
                {message(&request, flash, &here, is_near)}
                {(!empty || filtered || !is_first).then(|| filters(&query, !empty))}
                {counted}
                {body}
                {more.map(|href| view! { <p class="actions"><a class="button" href=href rel="next">{text::NEXT}</a></p> })}
            </Frame>
        }
        .into_any())
    })
}

/// Reads the query of the URL. Ignores invalid values.
fn query(request: &PageRequest) -> KeyQuery {
    let text = |name: &str| Some(request.query(name)).filter(|value| !value.trim().is_empty());
    KeyQuery {
        cursor: text("cursor"),
        limit: None,
        q: text("q"),
        status: match request.query("status").as_str() {
            "active" => Some(StatusFilter::Active),
            "inactive" => Some(StatusFilter::Inactive),
            "deleted" => Some(StatusFilter::Deleted),
            _ => None,
        },
        scope: text("scope").and_then(|scope| scope.parse().ok()),
        environment: text("environment").and_then(|environment| environment.parse().ok()),
        sort: if request.query("sort") == "oldest" { Sort::Oldest } else { Sort::Newest },
    }
}

fn more_link(query: &KeyQuery, cursor: String) -> String {
    list(&KeyQuery { cursor: Some(cursor), ..query.clone() })
}

/// Returns the URL of a list.
fn list(query: &KeyQuery) -> String {
    format!("{}?{}", paths::KEYS, serde_urlencoded::to_string(query).unwrap_or_default())
}

/// Returns the number of keys on the page, for screen readers as well.
fn count(shown: usize, is_part: bool) -> AnyView {
    view! { <p class="hint" role="status">{text::count(shown, is_part)}</p> }.into_any()
}

/// Returns the message of an empty list, with a link that leads out of it.
fn no_results(message: String, href: String, way_out: &'static str) -> AnyView {
    view! { <div class="card"><p role="status">{message}" "<a href=href>{way_out}</a></p></div> }.into_any()
}

fn no_match(query: &KeyQuery) -> String {
    match &query.q {
        Some(search) => text::no_match(search),
        None => text::NO_MATCH.to_owned(),
    }
}

fn filters(query: &KeyQuery, found: bool) -> impl IntoView + use<> {
    let status = query.status;
    let chosen = move |this: Option<StatusFilter>| status == this;
    view! {
        <form class="filters" method="get" action=paths::KEYS role="search">
            <SearchField value=query.q.clone().unwrap_or_default() found/>
            <label>
                <span class="visually-hidden">{text::FILTER_STATUS}</span>
                <select name="status">
                    <option value="" selected=chosen(None)>{text::FILTER_ALL}</option>
                    <option value="active" selected=chosen(Some(StatusFilter::Active))>{text::ACTIVE}</option>
                    <option value="inactive" selected=chosen(Some(StatusFilter::Inactive))>{text::INACTIVE}</option>
                    <option value="deleted" selected=chosen(Some(StatusFilter::Deleted))>{text::FILTER_DELETED}</option>
                </select>
            </label>
            <button class="button" type="submit">{text::SEARCH}</button>
        </form>
    }
}

fn table(keys: KeyPage, marked: Option<Locator>, here: &str, now: Timestamp) -> impl IntoView + use<> {
    let names: Vec<String> = keys.data.iter().map(|key| key.name.clone()).collect();
    let is_shared = |name: &str| names.iter().filter(|other| *other == name).count() > 1;
    let rows: Vec<_> = keys
        .data
        .into_iter()
        .map(|key| {
            let called = if is_shared(&key.name) { text::disambiguated(&key) } else { key.name.clone() };
            row(&key, &called, marked == Some(key.id), here, now)
        })
        .collect();
    view! {
        <div class="table-box">
            <table class="keys">
                <caption class="visually-hidden">{text::CAPTION}</caption>
                <thead>
                    <tr>
                        <th scope="col">{text::COLUMN_NAME}</th>
                        <th scope="col">{text::COLUMN_SCOPE}</th>
                        <th scope="col">{text::COLUMN_STATUS}</th>
                        <th scope="col">{text::COLUMN_CREATED}</th>
                        <th scope="col">{text::COLUMN_ACTIONS}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// Returns true if the page shows another key with the name in the message.
fn has_namesake(keys: &[Key], flash: &Flash) -> bool {
    keys.iter().any(|key| key.id != flash.id && key.name == flash.name)
}

/// Renders a row. The labels of its controls use the name `called`.
fn row(key: &Key, called: &str, is_marked: bool, here: &str, now: Timestamp) -> impl IntoView + use<> {
    let edit = paths::with_back(paths::key(key.id), here);
    view! {
        <tr id=paths::row(key.id) data-marked=is_marked.then_some("")>
            <th scope="row" data-label=text::COLUMN_NAME>
                <a href=edit.clone()><bdi>{key.name.clone()}</bdi></a>
                <code class="prefix">{key.prefix.clone()}"…"</code>
            </th>
            <td data-label=text::COLUMN_SCOPE>{scopes(key)}{in_one_line(key, now)}</td>
            <td data-label=text::COLUMN_STATUS>{status_badge(key)}</td>
            <td data-label=text::COLUMN_CREATED>
                <time datetime=key.created_at.rfc3339() title=key.created_at.day_and_time()>
                    {key.created_at.day_in_utc()}
                </time>
                <span class="hint">{named(text::BY, key.created_by.clone())}</span>
            </td>
            <td data-label=text::COLUMN_ACTIONS>
                <div class="row-actions">
                    {match key.reason {
                        Some(Reason::Deleted) => restore(key, called, here).into_any(),
                        _ => view! {
                            <a class="link" href=edit aria-label=text::control(text::EDIT, called)>{text::EDIT}</a>
                            {duplicate(key, called, here)}
                            {switch(key, called, here)}
                            {confirm_delete(key, here)}
                        }
                        .into_any(),
                    }}
                </div>
            </td>
        </tr>
    }
}

fn scopes(key: &Key) -> impl IntoView + use<> {
    let all: Vec<Scope> = key.scopes.iter().collect();
    let rest = all.len().saturating_sub(SCOPES_SHOWN);
    let names = all.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
    let shown = all.into_iter().take(SCOPES_SHOWN).map(|scope| view! { <code class="chip">{scope.name()}</code> });
    view! {
        <span class="chips" title=names>
            {shown.collect_view()}
            {(rest > 0).then(|| view! { <span class="hint">{text::more_scopes(rest)}</span> })}
        </span>
    }
}

/// Returns the status as a word and a sign. Adds the reason for an inactive status, and the start
/// or expiry date.
pub fn status_badge(key: &Key) -> impl IntoView + use<> {
    let (class, word) = match key.status {
        Status::Active => ("badge badge-good", text::ACTIVE),
        Status::Inactive => ("badge badge-off", text::INACTIVE),
    };
    view! {
        <span class=class>{word}</span>
        <span class="hint">{why(key)}</span>
    }
}

fn why(key: &Key) -> Option<String> {
    let ends = |words: fn(&str) -> String| key.expires_at.map(|end| words(&end.day_in_utc()));
    match key.reason {
        None => ends(text::expires),
        Some(Reason::Expired) => ends(text::expired),
        Some(Reason::Scheduled) => key.not_before.map(|begin| text::starts(&begin.day_in_utc())),
        Some(reason @ (Reason::Deactivated | Reason::Deleted)) => Some(reason.label().to_owned()),
    }
}

/// Returns the link to the form that duplicates a key.
pub fn duplicate(key: &Key, called: &str, back: &str) -> impl IntoView + use<> {
    let label = text::control(text::DUPLICATE, called);
    view! { <a class="link" href=paths::with_back(paths::duplicate_key(key.id), back) aria-label=label>{text::DUPLICATE}</a> }
}

/// Returns the button that activates or deactivates a key.
pub fn switch(key: &Key, called: &str, back: &str) -> impl IntoView + use<> {
    let off = key.reason == Some(Reason::Deactivated);
    let (status, word) = if off { ("active", text::ACTIVATE) } else { ("inactive", text::DEACTIVATE) };
    view! {
        <form method="post" action=paths::with_back(paths::key_status(key.id), back)>
            <input type="hidden" name="version" value=key.version.to_string()/>
            <input type="hidden" name="status" value=status/>
            <button class="link" type="submit" aria-label=text::control(word, called)>{word}</button>
        </form>
    }
}

/// Returns the button that restores a deleted key.
fn restore(key: &Key, called: &str, back: &str) -> impl IntoView + use<> {
    view! {
        <form method="post" action=paths::with_back(paths::restore_key(key.id), back)>
            <button class="link" type="submit" aria-label=text::control(common::RESTORE, called)>{common::RESTORE}</button>
        </form>
    }
}

/// Returns the link that deletes a key after confirmation.
pub fn confirm_delete(key: &Key, back: &str) -> impl IntoView + use<> {
    view! {
        <Confirm
            name=key.name.clone()
            details=delete::details(key)
            intent=delete::intent(key)
            action=paths::with_back(paths::delete_key(key.id), back)
            version=key.version
        />
    }
}

/// Returns the page of a workspace without keys: advice, and a link to create one.
fn empty_state() -> AnyView {
    let practices = text::PRACTICES.into_iter().map(|practice| view! { <li>{practice}</li> });
    view! {
        <section class="card empty">
            <h2>{text::EMPTY_HEADING}</h2>
            <p>{text::EMPTY_TEXT}</p>
            <ul class="practices">{practices.collect_view()}</ul>
            <p class="actions"><a class="button" href=paths::NEW_KEY>{text::EMPTY_BUTTON}</a></p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;
    use serde_json::json;

    #[test]
    fn a_key_says_when_it_begins_and_when_it_ends_or_ended() {
        let end = "2026-11-12T00:00:00Z";
        for (fields, words) in [
            (json!({"expires_at": end}), Some("Expires 12 Nov 2026 UTC")),
            (json!({"expires_at": end, "status": "inactive", "reason": "expired"}), Some("Expired 12 Nov 2026 UTC")),
            (json!({"not_before": end, "status": "inactive", "reason": "scheduled"}), Some("Starts 12 Nov 2026 UTC")),
            (json!({"expires_at": end, "status": "inactive", "reason": "deactivated"}), Some("Deactivated")),
            (json!({}), None),
        ] {
            assert_eq!(why(&key(fields.clone())).as_deref(), words, "{fields}");
        }
    }
}
