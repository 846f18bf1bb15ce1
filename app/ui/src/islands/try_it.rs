//! A test request to the edge with the new key, sent by the browser.

use crate::{
    components::changing::{Changing, remount_on_change},
    texts::reveal as text,
};
use gloo_net::http::Request;
use leptos::{prelude::*, task::spawn_local};

/// Maximum characters of the response body that are shown.
const SHOWN: usize = 600;

/// A button that sends a request with the key and shows the response.
#[component]
pub fn TryIt(
    /// URL of the request.
    url: String,
    /// Plain text of the key.
    token: String,
) -> impl IntoView {
    let answer = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let on_click = move |_| {
        let (url, token) = (url.clone(), token.clone());
        busy.set(true);
        spawn_local(async move {
            answer.set(Some(call(&url, &token).await));
            busy.set(false);
        });
    };
    view! {
        <div class="try-it needs-wasm">
            <button class="button button-quiet" type="button" disabled=move || busy.get() on:click=on_click>
                <Changing text=move || Some(if busy.get() { text::CALLING } else { text::TRY_IT }.to_owned())/>
            </button>
            <div role="status">
                {remount_on_change(move || answer.get(), |answer| {
                    view! { <pre class="answer" tabindex="0" aria-label=text::RESPONSE>{answer}</pre> }.into_any()
                })}
            </div>
        </div>
    }
    .into_any()
}

async fn call(url: &str, token: &str) -> String {
    let request = Request::get(url).header("Authorization", &format!("Bearer {token}"));
    match request.send().await {
        Ok(response) => {
            let body = response.text().await.unwrap_or_default();
            let head: String = body.chars().take(SHOWN).collect();
            let rest = if head.len() < body.len() { "…" } else { "" };
            format!("{} {}\n{head}{rest}", response.status(), response.status_text())
        }
        Err(_) => text::NO_RESPONSE.to_owned(),
    }
}
