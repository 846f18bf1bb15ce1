//! The fields of all bodies and the parameters of all queries, with invalid values for each.

use serde_json::{Value, json};

/// The type of a field's values.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text of at most this many characters. It may be empty.
    Text(usize),
    /// A text of at most this many characters. It must not be empty.
    Line(usize),
    /// A text whose content other tests check.
    Any,
    /// One of a fixed set of words, or an id.
    Word,
    /// A timestamp.
    Time,
    /// A whole number in this inclusive range.
    Number(u64, u64),
    /// A Boolean.
    Flag,
    /// A list of texts.
    Texts,
    /// A map of texts.
    Notes,
    /// An object with these fields.
    Object(&'static [Field]),
}

/// One field: its name, its type, and true if it may be `null`.
pub struct Field(pub &'static str, pub Kind, pub bool);

/// Returns values that the field rejects.
pub fn wrong(Field(_, kind, may_be_null): &Field) -> Vec<Value> {
    let mut values = match kind {
        Kind::Any => vec![json!(7), json!(-1), json!(1.5), json!(true), json!([]), json!({})],
        Kind::Text(max) => vec![json!("x".repeat(max + 1)), json!(7), json!(1.5), json!(true), json!(["x"]), json!({})],
        Kind::Line(max) => vec![json!(""), json!(" "), json!("x".repeat(max + 1)), json!(7), json!(true), json!(["x"])],
        Kind::Word => {
            vec![json!(""), json!("other"), json!(7), json!(-1), json!(1.5), json!(true), json!([]), json!({"x": null})]
        }
        Kind::Time => vec![json!(""), json!("soon"), json!("2026-13-01T00:00:00Z"), json!(7), json!([]), json!({})],
        Kind::Number(least, most) => {
            let outside = [least.checked_sub(1), Some(most + 1)].into_iter().flatten().map(Value::from);
            let others =
                [json!(-1), json!(1.5), json!(5_000_000_000_u64), json!(1e300), json!("7"), json!(true), json!([])];
            outside.chain(others).collect()
        }
        Kind::Flag => vec![json!("true"), json!(""), json!(1), json!(1.5), json!([]), json!({})],
        Kind::Texts => vec![json!("x"), json!(7), json!({}), json!([7]), json!([null]), json!([["x"]])],
        Kind::Notes => {
            vec![json!("x"), json!(7), json!([]), json!({"team": 7}), json!({"team": ["x"]}), json!({"": "x"})]
        }
        Kind::Object(_) => vec![json!("x"), json!(7), json!(true), json!([]), json!({"colour": 1})],
    };
    if !may_be_null {
        values.push(Value::Null);
    }
    values
}

pub static NEW_KEY: &[Field] = &[
    Field("name", Kind::Line(100), false),
    Field("description", Kind::Text(500), false),
    Field("integration", Kind::Text(100), false),
    Field("environment", Kind::Word, false),
    Field("scopes", Kind::Texts, false),
    Field("not_before", Kind::Time, true),
    Field("expires_at", Kind::Time, true),
    Field("restrictions", Kind::Object(RESTRICTIONS), false),
    Field("rate_limit", Kind::Object(RATE_LIMIT), true),
    Field("quota", Kind::Object(QUOTA), true),
    Field("metadata", Kind::Notes, false),
    Field("reason", Kind::Text(500), true),
    Field("secret_sha256", Kind::Word, true),
];

pub static PATCH: &[Field] = &[
    Field("name", Kind::Line(100), false),
    Field("description", Kind::Text(500), true),
    Field("integration", Kind::Text(100), true),
    Field("status", Kind::Word, false),
    Field("reason", Kind::Text(500), true),
    Field("scopes", Kind::Texts, false),
    Field("not_before", Kind::Time, true),
    Field("expires_at", Kind::Time, true),
    Field("restrictions", Kind::Object(RESTRICTIONS), true),
    Field("rate_limit", Kind::Object(RATE_LIMIT), true),
    Field("quota", Kind::Object(QUOTA), true),
    Field("metadata", Kind::Notes, true),
];

static RESTRICTIONS: &[Field] =
    &[Field("allow", Kind::Texts, true), Field("deny", Kind::Texts, true), Field("channels", Kind::Texts, true)];
static RATE_LIMIT: &[Field] =
    &[Field("limit", Kind::Number(1, 1_000_000_000), false), Field("window_seconds", Kind::Number(1, 86_400), false)];
static QUOTA: &[Field] = &[Field("limit", Kind::Number(1, 1_000_000_000), false), Field("period", Kind::Word, false)];

pub static COPY: &[Field] = &[
    Field("name", Kind::Line(100), true),
    Field("expires_at", Kind::Time, true),
    Field("reason", Kind::Text(500), true),
    Field("secret_sha256", Kind::Word, true),
];

pub static ROTATION: &[Field] =
    &[Field("overlap_seconds", Kind::Number(0, 30 * 86_400), false), Field("secret_sha256", Kind::Word, true)];

pub static EXPLAIN: &[Field] = &[
    Field("key_id", Kind::Word, false),
    Field("scopes", Kind::Texts, false),
    Field("channel", Kind::Any, true),
    Field("address", Kind::Word, true),
    Field("environment", Kind::Word, true),
    Field("at", Kind::Time, true),
    Field("cost", Kind::Number(0, 10_000), true),
];

pub static EXPLAIN_ROUTE: &[Field] = &[Field("method", Kind::Any, false), Field("path", Kind::Any, false)];

pub static SETTINGS: &[Field] = &[
    Field("suspended", Kind::Flag, true),
    Field("outage_seconds", Kind::Number(0, 3_600), true),
    Field("reason", Kind::Text(500), true),
];

pub static SETUP: &[Field] = &[
    Field("token", Kind::Any, false),
    Field("name", Kind::Any, false),
    Field("email", Kind::Any, false),
    Field("password", Kind::Any, false),
    Field("workspace", Kind::Any, false),
];

pub static SIGN_IN: &[Field] =
    &[Field("email", Kind::Any, false), Field("password", Kind::Any, false), Field("device", Kind::Any, true)];

pub static VERIFY: &[Field] = &[
    Field("key", Kind::Any, false),
    Field("scopes", Kind::Texts, false),
    Field("channel", Kind::Any, true),
    Field("address", Kind::Word, true),
    Field("cost", Kind::Number(0, 10_000), true),
];

/// A query parameter, with values that it rejects.
pub type Parameter = (&'static str, &'static [&'static str]);

const WORDS: &[&str] = &["", "other", "7", "-1", "1.5", "null", "%FF", "Active"];
const NUMBERS: &[&str] = &["", "x", "0", "101", "-1", "%2B1", "1.5", "null", "5000000000"];
const TIMES: &[&str] = &["", "soon", "7", "2026-13-01T00:00:00Z", "2026-01-01"];

pub static LIST: &[Parameter] = &[
    ("cursor", &["", "x", "%FF", "000000000000"]),
    ("limit", NUMBERS),
    ("status", WORDS),
    ("scope", WORDS),
    ("environment", WORDS),
    ("sort", WORDS),
];

pub static USAGE: &[Parameter] =
    &[("from", TIMES), ("to", TIMES), ("step", WORDS), ("outcome", WORDS), ("scope", WORDS)];

pub static TRAIL: &[Parameter] = &[
    ("cursor", &["", "x", "-1", "1.5", "%2B1", "9007199254740992", "99999999999999999999"]),
    ("limit", NUMBERS),
    ("key", WORDS),
    ("actor", WORDS),
    ("action", WORDS),
    ("from", TIMES),
    ("to", TIMES),
    ("format", WORDS),
];
