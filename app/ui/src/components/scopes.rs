//! The picker of access scopes, made from the domain's table.

use leptos::prelude::*;
use ownchat_domain::scope::{GROUPS, PRESETS, Risk, Scope};

/// Name of the buttons that choose a preset.
pub const PRESET: &str = "preset";

/// Buttons that choose several scopes at once. Without WASM they post the form, which comes back with
/// the choice made and everything else as it was.
#[component]
pub fn Presets() -> impl IntoView {
    let buttons = PRESETS.iter().map(|preset| {
        view! {
            <button class="button button-quiet" type="submit" name=PRESET value=preset.name formnovalidate>
                {preset.name}
            </button>
        }
    });
    view! {
        <div class="presets" role="group" aria-label="Start from a preset">
            <span class="hint">"Start from"</span>
            {buttons.collect_view()}
        </div>
    }
    .into_any()
}

/// Every scope with its meaning and risk, in groups.
#[component]
pub fn ScopePicker(
    /// Names of those that are chosen.
    chosen: Vec<String>,
) -> impl IntoView {
    let groups = GROUPS.iter().map(move |group| {
        let scopes = Scope::all().filter(|scope| {
            let resource = scope.name().split(':').next().unwrap_or_default();
            group.resources.contains(&resource)
        });
        let rows: Vec<_> = scopes.map(|scope| row(scope, chosen.iter().any(|name| name == scope.name()))).collect();
        view! {
            <fieldset class="scope-group">
                <legend>{group.name}</legend>
                {rows}
            </fieldset>
        }
    });
    view! { <div class="scope-groups" role="group" aria-label="Access scopes" aria-describedby="scopes-error">{groups.collect_view()}</div> }.into_any()
}

fn row(scope: Scope, checked: bool) -> impl IntoView {
    let (info, texts) = (scope.info(), scope.texts());
    // The place to mend the choice of scopes.
    let is_first = Scope::all().next() == Some(scope);
    let also = info.gives.map(|gives| format!(" Also gives {gives}."));
    // Named by its title alone; what it means and risks is read out after that.
    let (title, hint, risk) = (format!("t-{}", info.name), format!("d-{}", info.name), format!("r-{}", info.name));
    view! {
        <label class="scope">
            <input
                id=is_first.then_some("scopes")
                type="checkbox"
                name="scopes"
                value=info.name
                checked=checked
                aria-labelledby=title.clone()
                aria-describedby=format!("{hint} {risk}")
            />
            <span class="scope-text">
                <span class="scope-title" id=title>{texts.title}" "<code>{info.name}</code></span>
                <span class="hint" id=hint>{texts.description}{also}</span>
            </span>
            <span class=risk_class(info.risk) id=risk>{info.risk.label()}</span>
        </label>
    }
    .into_any()
}

fn risk_class(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "risk risk-low",
        Risk::Medium => "risk risk-medium",
        Risk::High => "risk risk-high",
    }
}
