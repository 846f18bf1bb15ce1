//! A call with the new key, from the browser, and what came back.

use crate::components::changing::{Changing, anew};
use gloo_net::http::Request;
use leptos::{prelude::*, task::spawn_local};

/// How much of an answer is shown, in characters.
const SHOWN: usize = 600;

/// A button that calls the edge with the key and reports what it saw.
#[component]
pub fn TryIt(
    /// What to call.
    url: String,
    /// The key.
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
                <Changing text=move || Some(if busy.get() { "Calling…" } else { "Try it" }.to_owned())/>
            </button>
            <div role="status">
                {anew(move || answer.get(), |text| {
                    view! { <pre class="answer" tabindex="0" aria-label="What came back">{text}</pre> }.into_any()
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
        Err(_) => "Your browser couldn't reach the API. Try the command in a shell.".to_owned(),
    }
}
