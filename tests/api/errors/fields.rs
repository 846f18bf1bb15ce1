//! The fields of all bodies and the parameters of all queries, with invalid values for each.

use serde_json::{Value, json};

/// The type of a field's values.
#[derive(Clone, Copy)]
pub enum FieldType {
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
pub struct Field(pub &'static str, pub FieldType, pub bool);

/// Returns values that the field rejects.
pub fn wrong(Field(_, kind, may_be_null): &Field) -> Vec<Value> {
    let mut values = match kind {
        FieldType::Any => vec![json!(7), json!(-1), json!(1.5), json!(true), json!([]), json!({})],
        FieldType::Text(max) => {
            vec![json!("x".repeat(max + 1)), json!(7), json!(1.5), json!(true), json!(["x"]), json!({})]
        }
        FieldType::Line(max) => {
            vec![json!(""), json!(" "), json!("x".repeat(max + 1)), json!(7), json!(true), json!(["x"])]
        }
        FieldType::Word => {
            vec![json!(""), json!("other"), json!(7), json!(-1), json!(1.5), json!(true), json!([]), json!({"x": null})]
        }
        FieldType::Time => {
            vec![json!(""), json!("soon"), json!("2026-13-01T00:00:00Z"), json!(7), json!([]), json!({})]
        }
        FieldType::Number(least, most) => {
            let outside = [least.checked_sub(1), Some(most + 1)].into_iter().flatten().map(Value::from);
            let others =
                [json!(-1), json!(1.5), json!(5_000_000_000_u64), json!(1e300), json!("7"), json!(true), json!([])];
            outside.chain(others).collect()
        }
        FieldType::Flag => vec![json!("true"), json!(""), json!(1), json!(1.5), json!([]), json!({})],
        FieldType::Texts => vec![json!("x"), json!(7), json!({}), json!([7]), json!([null]), json!([["x"]])],
        FieldType::Notes => {
            vec![json!("x"), json!(7), json!([]), json!({"team": 7}), json!({"team": ["x"]}), json!({"": "x"})]
        }
        FieldType::Object(_) => vec![json!("x"), json!(7), json!(true), json!([]), json!({"colour": 1})],
    };
    if !may_be_null {
        values.push(Value::Null);
    }
    values
}

pub static NEW_KEY: &[Field] = &[
    Field("name", FieldType::Line(100), false),
    Field("description", FieldType::Text(500), false),
    Field("integration", FieldType::Text(100), false),
    Field("environment", FieldType::Word, false),
    Field("scopes", FieldType::Texts, false),
    Field("not_before", FieldType::Time, true),
    Field("expires_at", FieldType::Time, true),
    Field("restrictions", FieldType::Object(RESTRICTIONS), false),
    Field("rate_limit", FieldType::Object(RATE_LIMIT), true),
    Field("quota", FieldType::Object(QUOTA), true),
    Field("metadata", FieldType::Notes, false),
    Field("reason", FieldType::Text(500), true),
    Field("secret_sha256", FieldType::Word, true),
];

pub static PATCH: &[Field] = &[
    Field("name", FieldType::Line(100), false),
    Field("description", FieldType::Text(500), true),
    Field("integration", FieldType::Text(100), true),
    Field("status", FieldType::Word, false),
    Field("reason", FieldType::Text(500), true),
    Field("scopes", FieldType::Texts, false),
    Field("not_before", FieldType::Time, true),
    Field("expires_at", FieldType::Time, true),
    Field("restrictions", FieldType::Object(RESTRICTIONS), true),
    Field("rate_limit", FieldType::Object(RATE_LIMIT), true),
    Field("quota", FieldType::Object(QUOTA), true),
    Field("metadata", FieldType::Notes, true),
];

static RESTRICTIONS: &[Field] = &[
    Field("allow", FieldType::Texts, true),
    Field("deny", FieldType::Texts, true),
    Field("channels", FieldType::Texts, true),
];
static RATE_LIMIT: &[Field] = &[
    Field("limit", FieldType::Number(1, 1_000_000_000), false),
    Field("window_seconds", FieldType::Number(1, 86_400), false),
];
static QUOTA: &[Field] =
    &[Field("limit", FieldType::Number(1, 1_000_000_000), false), Field("period", FieldType::Word, false)];

pub static COPY: &[Field] = &[
    Field("name", FieldType::Line(100), true),
    Field("expires_at", FieldType::Time, true),
    Field("reason", FieldType::Text(500), true),
    Field("secret_sha256", FieldType::Word, true),
];

pub static ROTATION: &[Field] = &[
    Field("overlap_seconds", FieldType::Number(0, 30 * 86_400), false),
    Field("secret_sha256", FieldType::Word, true),
];

pub static EXPLAIN: &[Field] = &[
    Field("key_id", FieldType::Word, false),
    Field("scopes", FieldType::Texts, false),
    Field("channel", FieldType::Any, true),
    Field("address", FieldType::Word, true),
    Field("environment", FieldType::Word, true),
    Field("at", FieldType::Time, true),
    Field("cost", FieldType::Number(0, 10_000), true),
];

pub static EXPLAIN_ROUTE: &[Field] = &[Field("method", FieldType::Any, false), Field("path", FieldType::Any, false)];

pub static SETTINGS: &[Field] = &[
    Field("suspended", FieldType::Flag, true),
    Field("outage_seconds", FieldType::Number(0, 3_600), true),
    Field("reason", FieldType::Text(500), true),
];

pub static SETUP: &[Field] = &[
    Field("token", FieldType::Any, false),
    Field("name", FieldType::Any, false),
    Field("email", FieldType::Any, false),
    Field("password", FieldType::Any, false),
    Field("workspace", FieldType::Any, false),
];

pub static SIGN_IN: &[Field] = &[
    Field("email", FieldType::Any, false),
    Field("password", FieldType::Any, false),
    Field("device", FieldType::Any, true),
];

pub static VERIFY: &[Field] = &[
    Field("key", FieldType::Any, false),
    Field("scopes", FieldType::Texts, false),
    Field("channel", FieldType::Any, true),
    Field("address", FieldType::Word, true),
    Field("cost", FieldType::Number(0, 10_000), true),
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
