//! The scope picker, generated from the domain's table of scopes.

use super::inert::inert;
use crate::texts::key_form as text;
use leptos::prelude::*;
use ownchat_domain::scope::{GROUPS, PRESETS, Risk, Scope};

/// Field name of the preset buttons.
pub const PRESET: &str = "preset";

/// Buttons that select a preset of scopes. Without WASM they post the form. The response is the
/// same form with those scopes selected and all other input kept.
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
        <div class="presets" role="group" aria-label=text::PRESETS_LABEL>
            {inert("<span class=\"hint\">", text::PRESETS, "</span>")}
            {buttons.collect_view()}
        </div>
    }
    .into_any()
}

/// Checkboxes for all scopes, in groups, with meaning and risk.
#[component]
pub fn ScopePicker(
    /// Names of the selected scopes.
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
    view! { <div class="scope-groups" role="group" aria-label=text::SCOPES_LABEL aria-describedby="scopes-error">{groups.collect_view()}</div> }.into_any()
}

fn row(scope: Scope, checked: bool) -> impl IntoView {
    let (info, texts) = (scope.info(), scope.texts());
    // The error summary links to the first scope.
    let is_first = Scope::all().next() == Some(scope);
    let also = info.gives.map(|_| text::INCLUDES_READ);
    // The title alone is the accessible name. Screen readers read meaning and risk after it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_gives_another_gives_read() {
        assert!(Scope::all().filter_map(|scope| scope.info().gives).all(|gives| gives.ends_with(":read")));
    }
}
