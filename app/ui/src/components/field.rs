//! Form fields with their label, hint and error.

use super::changing::{Changing, anew};
use leptos::prelude::*;
use ownchat_domain::failure::FieldError;

/// What is wrong with the fields of a form.
pub type Errors = Vec<FieldError>;

/// What is wrong with one field, if anything is.
pub fn error_of(errors: &[FieldError], field: &str) -> Option<String> {
    errors.iter().find(|error| error.field == field).map(|error| error.message.clone())
}

/// A line of text with its label.
#[component]
pub fn TextField(
    /// Its name in the form, and its id in the page.
    name: &'static str,
    /// What people read above it.
    label: &'static str,
    /// What stands in it.
    #[prop(into)]
    value: String,
    /// What is wrong with it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// `text`, `email`, `password` or `date`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What a password manager fills in (WHATWG HTML, autofill).
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// A word of help.
    #[prop(default = "")]
    hint: &'static str,
    /// Whether the page begins here.
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

/// Several lines of text with their label.
#[component]
pub fn TextArea(
    /// Its name in the form, and its id in the page.
    name: &'static str,
    /// What people read above it.
    label: &'static str,
    /// What stands in it.
    #[prop(into)]
    value: String,
    /// What is wrong with it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// A word of help.
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
                // A child would not be escaped on the server. Parsers drop a line break right after the tag.
                inner_html=format!("\n{}", html_escape::encode_text(&value))
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=format!("{name}-hint {name}-error")
            ></textarea>
            <Help name hint error/>
        </div>
    }
    .into_any()
}

/// The lines below a field: a hint, and what is wrong.
#[component]
pub fn Help(
    /// Name of the field.
    name: &'static str,
    /// A word of help.
    hint: &'static str,
    /// What is wrong.
    error: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <p class="hint" id=format!("{name}-hint")>{hint}</p>
        <p class="error" id=format!("{name}-error")><Changing text=error/></p>
    }
    .into_any()
}

/// Id of the summary of what is wrong with a form.
pub const SUMMARY: &str = "faults";

/// What is wrong with a form, on top of it, with links to the fields.
#[component]
pub fn ErrorSummary(
    /// What is wrong with which field.
    #[prop(into)]
    errors: Signal<Errors>,
    /// What is wrong with the whole.
    #[prop(into)]
    whole: Signal<Option<String>>,
    /// True if a page that comes with faults begins here.
    #[prop(default = false)]
    autofocus: bool,
) -> impl IntoView {
    let autofocus = autofocus && (!errors.get_untracked().is_empty() || whole.get_untracked().is_some());
    let shown =
        move || Some((errors.get(), whole.get())).filter(|(errors, whole)| !errors.is_empty() || whole.is_some());
    view! {
        <div class="summary" id=SUMMARY tabindex="-1" autofocus=autofocus>
            {anew(shown, |(errors, whole)| {
                let title = whole.unwrap_or_else(|| to_fix(errors.len()));
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

fn to_fix(count: usize) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("Fix {count} problem{s} to continue")
}

fn line(error: FieldError) -> impl IntoView {
    let text = format!("{}: {}", label(&error.field), error.message);
    view! { <li><a href=format!("#{}", anchor(&error.field))>{text}</a></li> }
}

/// What a field is called where it is spoken of away from its place.
fn label(field: &str) -> &str {
    match field {
        "name" => "Name",
        "description" => "Description",
        "environment" => "Environment",
        "expires_at" => "Expiry",
        "scopes" => "Access permissions",
        "reason" => "Reason",
        "email" => "Email",
        "password" => "Password",
        "workspace" => "Workspace",
        other => other,
    }
}

/// The field, of these, that is the first with something wrong; the first of all if none has.
pub fn first_wrong<'a>(errors: &[FieldError], fields: &[&'a str]) -> Option<&'a str> {
    let is_wrong = |field: &&&str| errors.iter().any(|error| error.field == **field);
    fields.iter().find(is_wrong).or(fields.first()).copied()
}

/// Id of the control in which a field's error is mended.
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
