//! The user documentation: its examples run, and its pages are served.

use crate::deployment::{Deployment, shared};
use serde_json::{Value, json};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Most blocks of shell that are not run, in README and docs together: they start or deploy things.
const NOT_RUN_MAX: usize = 16;

/// The mark of a block that is not run.
const NOT_RUN: &str = "no-run";

/// A fenced block: its info string and its text.
struct Block {
    info: String,
    text: String,
}

impl Block {
    fn is(&self, language: &str) -> bool {
        self.info.split(' ').next() == Some(language)
    }

    fn runs(&self) -> bool {
        self.is("sh") && !self.info.contains(NOT_RUN)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// README, every page of the docs, and the documents for contributors.
fn sources() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut left = vec![root().join("app/docs"), root().join(".github")];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn blocks(source: &Path) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in fs::read_to_string(source).unwrap().lines() {
        match line.strip_prefix("```") {
            Some(info) if !is_inside => blocks.push(Block { info: info.trim().to_owned(), text: String::new() }),
            Some(_) => {}
            None if is_inside => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
                continue;
            }
            None => continue,
        }
        is_inside = !is_inside;
    }
    assert!(!is_inside, "{}: a block has no end", source.display());
    blocks
}

/// Separates the outputs of blocks. No block prints it.
const MARK: &str = "\u{1}block";

/// Runs the blocks of a page in one shell and returns the output of each, empty for those that are
/// not run.
fn run(source: &Path, blocks: &[Block], variables: &[(&str, String)]) -> Vec<String> {
    let folder = env::temp_dir().join(format!("ownchat-docs-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let script = blocks
        .iter()
        .filter(|block| block.runs())
        .fold("set -eu\n".to_owned(), |script, block| format!("{script}printf '{MARK}'\n{}", block.text));
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(&folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    fs::remove_dir_all(folder).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: a block failed\n{text}\n{errors}", source.display());
    let mut outputs = text.split(MARK).skip(1);
    let output =
        |block: &Block| if block.runs() { outputs.next().unwrap_or_default().to_owned() } else { String::new() };
    blocks.iter().map(output).collect()
}

/// Fields whose values are part of the contract. Others differ from deployment to deployment.
const OF_THE_CONTRACT: [&str; 5] = ["code", "status", "valid", "verdict", "title"];

/// The differences between a response in the docs and a real one: names of fields, kinds of values,
/// and the values of [`OF_THE_CONTRACT`].
fn differences(place: &str, documented: &Value, real: &Value) -> Vec<String> {
    match (documented, real) {
        (Value::Object(documented), Value::Object(real)) => {
            let lacks =
                documented.keys().filter(|name| !real.contains_key(*name)).map(|name| format!("{place} lacks {name}"));
            let more =
                real.keys().filter(|name| !documented.contains_key(*name)).map(|name| format!("{place} has {name}"));
            let fields = documented.iter().filter_map(|(name, value)| Some((name, value, real.get(name)?)));
            let inner = fields.flat_map(|(name, value, real)| {
                let place = format!("{place}.{name}");
                if OF_THE_CONTRACT.contains(&name.as_str()) && value != real {
                    return vec![format!("{place} is {real}, not {value}")];
                }
                differences(&place, value, real)
            });
            lacks.chain(more).chain(inner).collect()
        }
        (Value::Array(documented), Value::Array(real)) => match (documented.first(), real.first()) {
            (Some(documented), Some(real)) => differences(&format!("{place}[0]"), documented, real),
            (Some(_), None) => vec![format!("{place} is empty")],
            (None, _) => Vec::new(),
        },
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => Vec::new(),
        (documented, real) => vec![format!("{place} is {real}, not like {documented}")],
    }
}

/// The variables that the docs ask their readers to set.
fn variables(deployment: &Deployment) -> Vec<(&'static str, String)> {
    let scopes = [
        "account:read",
        "account:write",
        "audit:read",
        "contacts:read",
        "contacts:write",
        "conversations:read",
        "keys:read",
        "keys:self",
        "keys:verify",
        "keys:write",
        "messages:read",
        "messages:send",
    ];
    let admin = json!({"name": "Docs", "environment": "live", "scopes": scopes, "reason": "runs the docs"});
    let key = deployment.owner().post("/api/v1/keys", &admin).expect_status(201).at("/key");
    vec![
        ("CONSOLE", deployment.console().origin.clone()),
        ("EDGE", deployment.edge().origin.clone()),
        ("ADMIN_KEY", key),
        ("SERVICE_TOKEN", deployment.service_token()),
    ]
}

#[test]
fn every_example_runs_and_answers_as_it_is_documented() {
    let deployment = Deployment::set_up();
    let variables = variables(&deployment);
    let mut faults = Vec::new();
    for source in sources() {
        let blocks = blocks(&source);
        let outputs = run(&source, &blocks, &variables);
        let pairs = blocks.iter().zip(&outputs).zip(blocks.iter().skip(1));
        for ((_, output), documented) in pairs.filter(|((block, _), next)| block.runs() && next.is("json")) {
            let place = source.strip_prefix(root()).unwrap().display().to_string();
            let documented = serde_json::from_str(&documented.text)
                .unwrap_or_else(|error| panic!("{place}: {error}\n{}", documented.text));
            match serde_json::from_str(output) {
                Ok(real) => faults.extend(differences(&place, &documented, &real)),
                Err(error) => faults.push(format!("{place}: {error}: {output}")),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_block_has_a_language_and_few_are_not_run() {
    let (mut not_run, mut faults) = (0, Vec::new());
    for source in sources() {
        for block in blocks(&source) {
            not_run += usize::from(block.info.contains(NOT_RUN));
            if block.info.is_empty() {
                faults.push(format!("{}: a block has no language:\n{}", source.display(), block.text));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(not_run <= NOT_RUN_MAX, "{not_run} blocks of shell are not run");
}

#[test]
fn pages_are_public_and_static_with_their_media_types() {
    let deployment = shared();
    let docs = deployment.console().without("Origin");
    for (path, media) in [
        ("/docs", "text/html"),
        ("/docs/glossary", "text/html"),
        ("/docs/glossary.md", "text/markdown"),
        ("/docs/search.json", "application/json"),
        ("/docs/ownchat.css", "text/css"),
        ("/docs/docs.js", "text/javascript"),
        ("/llms.txt", "text/plain"),
    ] {
        let answer = docs.get(path);
        answer.expect_status(200);
        assert!(answer.header("content-type").starts_with(media), "{path}: {}", answer.header("content-type"));
        assert!(answer.header("set-cookie").is_empty(), "{path}");
    }
    let page = docs.get("/docs/glossary");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), value);
    }
    assert!(!page.text.contains("<script>") && !page.text.contains("wasm"), "{}", page.text);
    for path in ["/docs/nothing", "/docs/glossary/more"] {
        docs.get(path).expect_status(404);
    }
}

#[test]
fn a_response_that_differs_from_the_documented_one_is_found() {
    let documented = json!({"valid": false, "code": "EXPIRED", "key": {"id": "a", "scopes": ["b"]}, "cost": 1});
    let found = |pointer: &str, value: Value| {
        let mut real = documented.clone();
        *real.pointer_mut(pointer).unwrap() = value;
        differences("body", &documented, &real)
    };
    assert_eq!(found("/key/id", json!("c")), Vec::<String>::new(), "ids differ");
    assert_eq!(found("/code", json!("INACTIVE")), ["body.code is \"INACTIVE\", not \"EXPIRED\""]);
    assert_eq!(found("/valid", json!(true)), ["body.valid is true, not false"]);
    assert_eq!(found("/cost", json!("1")), ["body.cost is \"1\", not like 1"]);
    assert_eq!(found("/key", json!({"id": "a"})), ["body.key lacks scopes"]);
    assert_eq!(found("/key/scopes", json!([])), ["body.key.scopes is empty"]);
}
