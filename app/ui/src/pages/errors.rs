//! What every error code means and how to mend it; the page that the `type` of a problem leads to.

use crate::layout::Plain;
use leptos::prelude::*;
use ownchat_domain::problem::CATALOGUE;

/// The page.
#[component]
pub fn Page() -> impl IntoView {
    let rows = CATALOGUE.iter().map(|kind| {
        view! {
            <section class="card" id=kind.code>
                <h2>{kind.title}</h2>
                <p><code>{kind.code}</code>" · HTTP "{kind.status}</p>
                <p>{kind.meaning}</p>
            </section>
        }
    });
    view! {
        <Plain title="Error codes">
            <p>"Every error of the Ownchat API is a problem as RFC 9457 describes it; its code is one of these."</p>
            {rows.collect_view()}
        </Plain>
    }
}
