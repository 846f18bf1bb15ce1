//! Form fields with label, hint and error, and the error summary of a form.

use super::changing::{Changing, remount_on_change};
use crate::texts::{common, key_form as text, setup};
use leptos::prelude::*;
use ownchat_domain::failure::FieldError;

/// Field errors of a form.
pub type Errors = Vec<FieldError>;

/// Returns the first error of a field.
pub fn error_of(errors: &[FieldError], field: &str) -> Option<String> {
    errors.iter().find(|error| error.field == field).map(|error| error.message.clone())
}

/// A single-line text field with its label.
#[component]
pub fn TextField(
    /// Field name, and HTML id.
    name: &'static str,
    /// Visible label.
    label: &'static str,
    /// Initial value.
    #[prop(into)]
    value: String,
    /// Current error.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Input type: `text`, `email`, `password` or `date`.
    #[prop(default = "text")]
    kind: &'static str,
    /// Value of the `autocomplete` attribute (WHATWG HTML, autofill).
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// Hint below the field.
    #[prop(default = "")]
    hint: &'static str,
    /// True if the field takes the focus on page load.
    #[prop(default = false)]
    autofocus: bool,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                autofocus=autofocus
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=format!("{name}-hint {name}-error")
            />
            <Help name hint error/>
        </div>
    }
    .into_any()
}

/// A multi-line text field with its label.
#[component]
pub fn TextArea(
    /// Field name, and HTML id.
    name: &'static str,
    /// Visible label.
    label: &'static str,
    /// Initial value.
    #[prop(into)]
    value: String,
    /// Current error.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Hint below the field.
    #[prop(default = "")]
    hint: &'static str,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <textarea
                id=name
                name=name
                rows="2"
                // The server would not escape a child. Parsers drop a line break right after the
                // tag.
                inner_html=format!("\n{}", html_escape::encode_text(&value))
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=format!("{name}-hint {name}-error")
            ></textarea>
            <Help name hint error/>
        </div>
    }
    .into_any()
}

/// The hint and the error below a field.
#[component]
pub fn Help(
    /// Field name.
    name: &'static str,
    /// Hint text.
    hint: &'static str,
    /// Current error.
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <p class="hint" id=format!("{name}-hint")>{hint}</p>
        <p class="error" id=format!("{name}-error")><Changing text=error/></p>
    }
    .into_any()
}

/// HTML id of the error summary.
pub const SUMMARY: &str = "faults";

/// The error summary at the top of a form, with links to the fields.
#[component]
pub fn ErrorSummary(
    /// Field errors.
    #[prop(into)]
    errors: Signal<Errors>,
    /// Error of the form as a whole.
    #[prop(into)]
    whole: Signal<Option<String>>,
    /// True if a summary with errors takes the focus on page load.
    #[prop(default = false)]
    autofocus: bool,
) -> impl IntoView {
    let autofocus = autofocus && (!errors.get_untracked().is_empty() || whole.get_untracked().is_some());
    let shown =
        move || Some((errors.get(), whole.get())).filter(|(errors, whole)| !errors.is_empty() || whole.is_some());
    view! {
        <div class="summary" id=SUMMARY tabindex="-1" autofocus=autofocus>
            {remount_on_change(shown, |(errors, whole)| {
                let title = whole.unwrap_or_else(|| text::to_fix(errors.len()));
                let lines = errors.into_iter().map(line).collect_view();
                view! {
                    <div class="banner banner-bad" role="alert">
                        <p><strong>{title}</strong></p>
                        <ul>{lines}</ul>
                    </div>
                }
                .into_any()
            })}
        </div>
    }
    .into_any()
}

fn line(error: FieldError) -> impl IntoView {
    let text = format!("{}: {}", label(&error.field), error.message);
    view! { <li><a href=format!("#{}", anchor(&error.field))>{text}</a></li> }
}

/// Returns the display name of a field, for use outside the form.
fn label(field: &str) -> &str {
    match field {
        "name" => text::SUMMARY_NAME,
        "description" => text::DESCRIPTION,
        "environment" => text::ENVIRONMENT,
        "expires_at" => text::EXPIRY,
        "scopes" => text::PERMISSIONS,
        "reason" => text::REASON,
        "email" => common::EMAIL,
        "password" => common::PASSWORD,
        "workspace" => setup::WORKSPACE,
        other => other,
    }
}

/// Returns the first of `fields` that has an error, or the first of all if none has.
pub fn first_wrong<'a>(errors: &[FieldError], fields: &[&'a str]) -> Option<&'a str> {
    let is_wrong = |field: &&&str| errors.iter().any(|error| error.field == **field);
    fields.iter().find(is_wrong).or(fields.first()).copied()
}

/// Returns the HTML id of the control that corrects a field's error.
fn anchor(field: &str) -> &str {
    match field {
        "expires_at" => "expiry",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_begins_at_its_first_wrong_field() {
        let wrong = |fields: &[&str]| fields.iter().map(|field| FieldError::new(field, "")).collect::<Vec<_>>();
        for (errors, first) in
            [(&[][..], "name"), (&["email"], "email"), (&["workspace", "email"], "email"), (&["token"], "name")]
        {
            assert_eq!(first_wrong(&wrong(errors), &["name", "email", "workspace"]), Some(first), "{errors:?}");
        }
    }
}
