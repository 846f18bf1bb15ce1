//! Tables of the domain's catalogues: errors, outcomes, scopes, presets, gateway routes.

use super::{linked, quoted, table};
use ownchat_domain::{
    problem::{CATALOGUE, ProblemKind},
    route,
    scope::{GROUPS, PRESETS, Scope},
    verdict::{Code, Denial},
};
use std::fmt::Write;

/// Renders a section for every error code. The `type` of a problem links to it.
pub fn errors() -> String {
    CATALOGUE.iter().fold(String::new(), |mut text, ProblemKind { code, status, title, meaning }| {
        let _ = write!(text, "### {title} {{#{code}}}\n\n`{code}` · HTTP {status}\n\n{meaning}\n\n");
        text
    })
}

/// Renders the outcomes of a check, with the gateway's status codes.
pub fn outcomes() -> String {
    let rows = Code::ALL.iter().map(|code| {
        let ProblemKind { status, title, .. } = ProblemKind::of(*code);
        match code {
            Code::Valid => vec![quoted("VALID"), "200".into(), "The key may do this.".into()],
            Code::NotForwarded => {
                vec![
                    quoted(code.as_str()),
                    "502, 504".into(),
                    "The key was good, and the service was not reached.".into(),
                ]
            }
            _ => vec![linked(code.as_str()), status.to_string(), format!("{title}.")],
        }
    });
    table(&["Code", "Status at the gateway", "Meaning"], rows)
}

/// Renders the scopes, by group.
pub fn scopes() -> String {
    GROUPS.iter().fold(String::new(), |mut text, group| {
        let is_in =
            |scope: &Scope| scope.name().split_once(':').is_some_and(|(name, _)| group.resources.contains(&name));
        let rows = Scope::all().filter(is_in).map(|scope| {
            let info = scope.info();
            let implied = info.gives.map_or(String::new(), |implied| format!(" Includes `{implied}`."));
            let allows = format!("{}{implied}", scope.texts().description);
            vec![quoted(info.name), info.risk.label().to_owned(), allows]
        });
        let _ = write!(text, "### {}\n\n{}\n", group.name, table(&["Scope", "Risk", "Allows"], rows));
        text
    })
}

/// Renders the routes of the gateway, each with its required scope.
pub fn routes() -> String {
    let rows = route::all()
        .map(|route| vec![quoted(&format!("{} {}", route.method, route.pattern)), quoted(route.scope.name())]);
    table(&["Request", "Scope"], rows)
}

/// Renders the presets of the key form.
pub fn presets() -> String {
    let rows = PRESETS.iter().map(|preset| {
        let scopes: Vec<_> = preset.scopes.iter().map(|scope| quoted(scope)).collect();
        let missing = Scope::all().filter(|scope| !preset.scopes.contains(&scope.name()));
        let missing: Vec<_> = missing.map(|scope| quoted(scope.name())).collect();
        // A list of almost every scope hides the few that are left out.
        let listed = match missing.len() {
            0 => "every scope".to_owned(),
            few if few < scopes.len() => format!("every scope but {}", missing.join(", ")),
            _ => scopes.join(", "),
        };
        vec![preset.name.to_owned(), listed]
    });
    table(&["Preset", "Scopes"], rows)
}

/// Renders the body with which verify refuses a key. No example on the page can bring about such a
/// refusal.
pub fn refusal(denial: &Denial) -> String {
    format!(
        "```json\n{{\n  \"valid\": false,\n  \"code\": \"{}\",\n  \"detail\": \"{}\",\n  \
         \"key_id\": \"lkDSh6Br9jU1bmId\"\n}}\n```\n",
        denial.code().as_str(),
        denial.detail(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_is_json_with_its_code() {
        for (denial, code) in [(Denial::Suspended, "WORKSPACE_SUSPENDED"), (Denial::Unavailable, "UNAVAILABLE")] {
            let text = refusal(&denial);
            let json = text.trim_start_matches("```json").trim_end().trim_end_matches("```");
            let body: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!((&body["code"], &body["detail"]), (&code.into(), &denial.detail().into()));
        }
    }

    #[test]
    fn every_code_scope_and_route_stands_in_its_table() {
        let (errors, scopes, routes) = (errors(), scopes(), routes());
        for kind in CATALOGUE {
            assert!(errors.contains(&format!("{{#{}}}", kind.code)), "{}", kind.code);
        }
        for scope in Scope::all() {
            assert!(scopes.contains(&format!("| `{}` |", scope.name())), "{}", scope.name());
        }
        assert_eq!(routes.lines().count(), route::all().count() + 2);
        assert_eq!(outcomes().lines().count(), Code::ALL.len() + 2);
    }
}
