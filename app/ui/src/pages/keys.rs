//! The dashboard: every key of the workspace.

use crate::{
    islands::confirm::Confirm,
    layout::{Frame, Place},
    paths::{self, Done},
    visit::{Visit, page},
};
use leptos::prelude::*;
use ownchat_domain::{
    key::{Key, KeyPage, KeyQuery, Sort, Status},
    scope::Scope,
    time::Timestamp,
};

/// Scopes that are named in a row; the others are counted.
const SCOPES_SHOWN: usize = 3;

/// The page.
#[component]
pub fn Page() -> impl IntoView {
    page(|visit| async move {
        let identity = visit.backend().identity().await?;
        let query = query(&visit);
        let filtered = KeyQuery { cursor: None, sort: Sort::default(), ..query.clone() } != KeyQuery::default();
        let keys = visit.backend().list_keys(query.clone()).await?;
        let done = Done::parse(&visit.query("done"));
        let since = visit.query("since").parse().ok().map(Timestamp::from_millis);
        let now = visit.backend().now();
        let empty = keys.data.is_empty() && query.cursor.is_none();
        let more = keys.next_cursor.clone().map(|cursor| more_link(&query, cursor));
        let body = match (empty, filtered) {
            (true, false) => teach(),
            (true, true) => view! {
                <div class="card"><p>"No key fits. " <a href=paths::KEYS>"Show all keys"</a></p></div>
            }
            .into_any(),
            (false, _) => table(keys).into_any(),
        };
        Ok(view! {
            <Frame identity place=Place::Settings title="API Keys" way=vec![("Settings", paths::SETTINGS.to_owned())]>
                <div class="head">
                    <h1>"API Keys"</h1>
                    <a class="button button-main" href=paths::NEW_KEY>"Create API Key"</a>
                </div>
                {done.map(|done| view! { <p class="banner banner-good" role="status">{done.sentence()}{since.map(|since| everywhere(since, now))}</p> })}
                {(!empty || filtered).then(|| filters(&query))}
                {body}
                {more.map(|href| view! { <p class="actions"><a class="button" href=href rel="next">"Next page"</a></p> })}
            </Frame>
        }
        .into_any())
    })
}

/// From when on a change holds everywhere; what the edge has read before that may decide until then. Never too early,
/// and with the day when it is not today's.
fn everywhere(since: Timestamp, now: Timestamp) -> String {
    let since = since.rounded_up_to_second();
    let (day, today) = (since.day_month_year(), now.day_month_year());
    let of_day = if day == today { String::new() } else { format!(" of {day}") };
    format!(" It holds everywhere from {} UTC{of_day} on.", since.time_of_day())
}

/// What the address asks for. Words that mean nothing are not asked for.
fn query(visit: &Visit) -> KeyQuery {
    let text = |name: &str| Some(visit.query(name)).filter(|value| !value.trim().is_empty());
    KeyQuery {
        cursor: text("cursor"),
        limit: None,
        q: text("q"),
        status: match visit.query("status").as_str() {
            "active" => Some(Status::Active),
            "inactive" => Some(Status::Inactive),
            _ => None,
        },
        scope: text("scope").and_then(|scope| scope.parse().ok()),
        environment: text("environment").and_then(|environment| environment.parse().ok()),
        sort: if visit.query("sort") == "oldest" { Sort::Oldest } else { Sort::Newest },
    }
}

fn more_link(query: &KeyQuery, cursor: String) -> String {
    let next = KeyQuery { cursor: Some(cursor), ..query.clone() };
    format!("{}?{}", paths::KEYS, serde_urlencoded::to_string(next).unwrap_or_default())
}

fn filters(query: &KeyQuery) -> impl IntoView + use<> {
    let status = query.status;
    let chosen = move |this: Option<Status>| status == this;
    view! {
        <form class="filters" method="get" action=paths::KEYS role="search">
            <label class="grow">
                <span class="visually-hidden">"Search by name, id or description"</span>
                <input type="search" name="q" placeholder="Search by name, id or description"
                    value=query.q.clone().unwrap_or_default()/>
            </label>
            <label>
                <span class="visually-hidden">"Status"</span>
                <select name="status">
                    <option value="" selected=chosen(None)>"All keys"</option>
                    <option value="active" selected=chosen(Some(Status::Active))>"Active"</option>
                    <option value="inactive" selected=chosen(Some(Status::Inactive))>"Inactive"</option>
                </select>
            </label>
            <button class="button" type="submit">"Search"</button>
        </form>
    }
}

fn table(keys: KeyPage) -> impl IntoView {
    let rows = keys.data.into_iter().map(row);
    view! {
        <div class="table-box">
            <table class="keys">
                <caption class="visually-hidden">"API keys of this workspace"</caption>
                <thead>
                    <tr>
                        <th scope="col">"API Key Name"</th>
                        <th scope="col">"Access Scope"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Created Date"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(key: Key) -> impl IntoView {
    let edit = paths::key(key.id);
    view! {
        <tr>
            <th scope="row" data-label="API Key Name">
                <a href=edit.clone()>{key.name.clone()}</a>
                <code class="prefix">{key.prefix.clone()}"…"</code>
            </th>
            <td data-label="Access Scope">{scopes(&key)}</td>
            <td data-label="Status">{status_badge(&key)}</td>
            <td data-label="Created Date">
                <time datetime=key.created_at.rfc3339() title=key.created_at.day_and_time()>
                    {key.created_at.day_month_year()}
                </time>
                <span class="hint">"by "{key.created_by.clone()}</span>
            </td>
            <td data-label="Actions">
                <div class="row-actions">
                    <a class="link" href=edit aria-label=format!("Edit {}", key.name)>"Edit"</a>
                    {duplicate(&key)}
                    {switch(&key)}
                    {confirm_delete(&key)}
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
            {(rest > 0).then(|| view! { <span class="hint">"and "{rest}" more"</span> })}
        </span>
    }
}

/// The status in a word and a sign, with the reason when it is inactive.
pub fn status_badge(key: &Key) -> impl IntoView + use<> {
    let reason = key.reason.map(ownchat_domain::key::Reason::label);
    let until = key.expires_at.map(|end| {
        let word = if key.reason == Some(ownchat_domain::key::Reason::Expired) { "Expired on" } else { "Expires on" };
        format!("{word} {}", end.day_month_year())
    });
    match key.status {
        Status::Active => view! {
            <span class="badge badge-good">"Active"</span>
            <span class="hint">{until}</span>
        }
        .into_any(),
        Status::Inactive => view! {
            <span class="badge badge-off">"Inactive"</span>
            <span class="hint">{reason}</span>
        }
        .into_any(),
    }
}

/// The link to the form for a copy.
pub fn duplicate(key: &Key) -> impl IntoView + use<> {
    let label = format!("Duplicate {}", key.name);
    view! { <a class="link" href=paths::duplicate_key(key.id) aria-label=label>"Duplicate"</a> }
}

/// The button that switches a key off or on.
pub fn switch(key: &Key) -> impl IntoView + use<> {
    let off = key.reason == Some(ownchat_domain::key::Reason::Deactivated);
    let (status, word) = if off { ("active", "Activate") } else { ("inactive", "Deactivate") };
    view! {
        <form method="post" action=paths::key_status(key.id)>
            <input type="hidden" name="version" value=key.version.to_string()/>
            <input type="hidden" name="status" value=status/>
            <button class="link" type="submit" aria-label=format!("{word} {}", key.name)>{word}</button>
        </form>
    }
}

/// The link that asks before it deletes.
pub fn confirm_delete(key: &Key) -> impl IntoView + use<> {
    view! {
        <Confirm
            label="Delete".to_owned()
            title=format!("Delete “{}”?", key.name)
            consequence=CONSEQUENCE.to_owned()
            intent=INTENT.to_owned()
            action=paths::delete_key(key.id)
            version=key.version
        />
    }
}

/// What happens when a key is deleted.
pub const CONSEQUENCE: &str = "Every call with this key is refused within 5 seconds, wherever it comes from; where the network is cut off, as soon as \
     the outage that the workspace forgives is over. The integration that uses it stops working. The key can be \
     restored for 30 days.";
/// What the visitor ticks before a key is deleted.
pub const INTENT: &str = "I know which integration uses it.";

/// A workspace without keys: what one is, and how to begin.
fn teach() -> AnyView {
    view! {
        <section class="card empty">
            <h2>"Make your first API key"</h2>
            <p>"A key lets one of your systems call Ownchat: a CRM that reads contacts, a shop that sends messages."</p>
            <ul class="practices">
                <li>"Keep keys confidential: each is shown once and stored only as a digest."</li>
                <li>"Never put a key into a public repository."</li>
                <li>"Make one key per integration, so that one can be switched off alone."</li>
                <li>"Revoke what is not used."</li>
                <li>"Watch usage."</li>
            </ul>
            <p class="actions"><a class="button" href=paths::NEW_KEY>"Create your first key"</a></p>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_change_is_never_said_to_hold_before_it_does() {
        for (now, since, words) in [
            ("2026-11-23T16:46:43Z", "2026-11-23T16:46:48Z", "16:46:48 UTC"),
            ("2026-11-23T16:46:43Z", "2026-11-23T16:46:48.001Z", "16:46:49 UTC"),
            ("2026-11-23T16:46:43Z", "2026-11-23T16:46:48.999Z", "16:46:49 UTC"),
            // An outage of an hour is forgiven.
            ("2026-11-23T23:30:00Z", "2026-11-24T00:30:00Z", "00:30:00 UTC of 24 Nov 2026"),
            ("2026-11-23T23:59:54Z", "2026-11-23T23:59:59.001Z", "00:00:00 UTC of 24 Nov 2026"),
            ("2026-11-24T00:00:01Z", "2026-11-24T00:00:04Z", "00:00:04 UTC"),
            // The page is looked at again later.
            ("2026-11-25T16:46:48Z", "2026-11-24T16:46:48Z", "16:46:48 UTC of 24 Nov 2026"),
        ] {
            let expected = format!(" It holds everywhere from {words} on.");
            assert_eq!(everywhere(time(since), time(now)), expected, "{since}, said at {now}");
        }
    }
}
