//! The parser agrees with the console's parser for every shape of body.

use super::{VerifyRequest, parse};
use ownchat_domain::json::{self, BodyError};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use serde::{Deserialize, Deserializer, de::Error as _};

/// The same fields, for the console's parser.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    key: String,
    #[serde(default)]
    scopes: Vec<String>,
    channel: Option<String>,
    address: Option<String>,
    #[serde(default, deserialize_with = "cost")]
    cost: Option<u32>,
}

fn cost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let cost = Option::deserialize(deserializer)?;
    if cost.is_some_and(|cost| cost > 10_000) { Err(D::Error::custom("too much")) } else { Ok(cost) }
}

fn other(body: &str) -> Result<VerifyRequest<'static>, BodyError> {
    let Other { key, scopes, channel, address, cost } = json::read(body.as_bytes())?;
    Ok(VerifyRequest {
        key: key.into(),
        scopes: scopes.into_iter().map(Into::into).collect(),
        channel: channel.map(Into::into),
        address: address.map(Into::into),
        cost,
    })
}

/// Asserts that both parsers return the same, or the same error. With two errors in a body each may
/// report another one; texts are not compared.
fn agree(body: &str) -> Result<(), String> {
    let (ours, theirs) = (parse(body), other(body));
    let same = match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (Err(BodyError::Field(ours)), Err(BodyError::Field(theirs))) => theirs.field == ours.field,
        (Err(_), Err(_)) => true,
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("{body}\n{ours:?}\n{theirs:?}")) }
}

#[test]
fn only_the_key_is_required() {
    let body = r#" {"key" : "k","scopes":["a","b"],"channel":"ch_1","address":"::1","cost":10000} "#;
    let request = parse(body).unwrap();
    assert_eq!((request.key.as_ref(), request.scopes.len(), request.cost), ("k", 2, Some(10_000)));
    assert_eq!((request.channel.as_deref(), request.address.as_deref()), (Some("ch_1"), Some("::1")));
    let least = VerifyRequest { key: "\u{e4}\"".into(), ..VerifyRequest::default() };
    for body in [
        r#"{"key":"ä\""}"#,
        r#"{"k\u0065y":"\u00e4\u0022"}"#,
        r#"{"scopes":[],"key":"ä\"","channel":null,"address":null,"cost":null}"#,
    ] {
        assert_eq!(parse(body).as_ref(), Ok(&least), "{body}");
        agree(body).unwrap();
    }
}

#[test]
fn string_without_escapes_is_borrowed() {
    let request = parse(r#"{"key":"k","scopes":["a"]}"#).unwrap();
    assert!(matches!(
        (&request.key, &request.scopes[0]),
        (std::borrow::Cow::Borrowed(_), std::borrow::Cow::Borrowed(_))
    ));
}

#[test]
fn error_names_its_field() {
    for (body, field, message) in [
        (r#"{"key":"x","kye":1}"#, "kye", "There is no such field here."),
        ("{}", "key", "This is required."),
        (r#"{"key":"x","key":"y"}"#, "key", "This is given twice."),
        (r#"{"key":"x","cost":null,"cost":1}"#, "cost", "This is given twice."),
        (r#"{"key":1}"#, "key", "This must be a string."),
        (r#"{"key":null}"#, "key", "This must be a string."),
        (r#"{"key":"x","channel":{}}"#, "channel", "This must be a string."),
        (r#"{"key":"x","scopes":null}"#, "scopes", "This must be a list of strings."),
        (r#"{"key":"x","scopes":["a",["b"]]}"#, "scopes[1]", "This must be a string."),
    ] {
        let Err(BodyError::Field(error)) = parse(body) else { panic!("{body}") };
        assert_eq!((error.field.as_str(), error.message.as_str()), (field, message), "{body}");
        agree(body).unwrap();
    }
    for cost in ["-1", "-0", "-0.0", "1.5", "15e-2", "1e99", "10001", "4294967296", "\"1\"", "true"] {
        let body = format!(r#"{{"key":"x","cost":{cost}}}"#);
        let Err(BodyError::Field(error)) = parse(&body) else { panic!("{body}") };
        assert_eq!((error.field.as_str(), error.message.contains("whole number")), ("cost", true), "{body}");
        agree(&body).unwrap();
    }
}

#[test]
fn whole_number_is_read_in_any_notation() {
    for (cost, number) in
        [("7.0", 7), ("7.00", 7), ("1e2", 100), ("1.5e1", 15), ("150E-1", 15), ("0e99", 0), ("0.0", 0)]
    {
        let body = format!("\u{feff}{{\"key\":\"x\",\"cost\":{cost}}}");
        assert_eq!(parse(&body).map(|request| request.cost), Ok(Some(number)), "{cost}");
        agree(&body).unwrap();
    }
}

#[test]
fn syntax_error_names_its_position() {
    for (body, line, column) in [
        ("", 1, 1),
        ("{\n,}", 2, 1),
        (r#"{"key":"x"} {}"#, 1, 13),
        (r#"{"key":"x",}"#, 1, 12),
        ("{\"cost\":\n\n  01}", 3, 4),
        (r#"{"key" "x"}"#, 1, 8),
        (r#"{"key":nil}"#, 1, 9),
        (r#"{"key":"x"#, 1, 10),
    ] {
        assert_eq!(parse(body), Err(BodyError::not_json(line, column)), "{body}");
        assert!(matches!(other(body), Err(BodyError::Unreadable(_))), "{body}");
    }
    for body in ["7", "[]", "\"x\"", "null", "[{\"key\":\"x\"}]"] {
        assert_eq!(parse(body), Err(BodyError::no_object()), "{body}");
    }
}

#[test]
fn errors_repeat_no_value() {
    let planted = "oc_live_JCgnh3DhfKRFKbvX_0123456789ABCDEFGHIJKLMN4YHXyj";
    for body in [
        format!(r#""{planted}""#),
        format!(r#"["{planted}"]"#),
        format!(r#"{{"{planted}":1}}"#),
        format!(r#"{{"key":["{planted}"]}}"#),
        format!(r#"{{"key":"{planted}"x"#),
        format!(r#"{{"key":7,"scopes":["{planted}"]}}"#),
    ] {
        let error = format!("{:?}", parse(&body).unwrap_err());
        assert!(!error.contains("0123456789ABCDEF"), "{error}");
    }
}

/// Bodies made of typical pieces, valid or not.
fn bodies() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "\"[a-z:]{0,6}\"",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#""\ud83d\ude00""#.to_owned()),
        Just(r#""\ud83d""#.to_owned()),
    ];
    let name = prop_oneof![9 => prop::sample::select(super::FIELDS.to_vec()), 1 => Just("kye")];
    let number = prop_oneof![any::<i64>().prop_map(|number| number.to_string()), "-?[0-9]{1,3}(\\.[0-9])?(e[0-9])?"];
    let list = prop::collection::vec(text.clone(), 0..4).prop_map(|texts| format!("[{}]", texts.join(",")));
    let other = prop::sample::select(vec!["null", "true", "false", "{}", "[1]", "nul", "", "[", "{\"a\":"]);
    let value = prop_oneof![6 => text, 3 => number, 4 => list, 2 => other.prop_map(str::to_owned)];
    let fields = prop::collection::vec((name, value), 0..6);
    let pair = |(name, value): (&str, String)| format!("\"{name}\":{value}");
    let whole =
        fields.prop_map(move |fields| format!("{{{}}}", fields.into_iter().map(pair).collect::<Vec<_>>().join(",")));
    let damage = (whole, any::<prop::sample::Index>(), prop::option::of("[\"{}\\[\\],:0-9 \\\\\n]?"));
    damage.prop_map(|(mut whole, place, piece)| {
        if let Some(piece) = piece {
            let place = place.index(whole.len());
            if whole.is_char_boundary(place) && whole.is_char_boundary(place + 1) {
                whole.replace_range(place..=place, &piece);
            }
        }
        whole
    })
}

/// `PROVE=1` runs a hundred times as many cases. A failing case is stored beside this file and
/// belongs into the repository.
fn config() -> ProptestConfig {
    let cases = if std::env::var_os("PROVE").is_some() { 20_000 } else { 200 };
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/src/verify_request/regressions");
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct(kept)) as _);
    ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() }
}

/// Bodies of up to the maximum size that repeat one piece, valid or not.
fn long_bodies() -> impl Strategy<Value = String> {
    let around = [("", ""), (r#"{"key":""#, r#""}"#), (r#"{"key":"k","scopes":["#, r#""a"]}"#), (r#"{"cost":"#, "}")];
    let pieces = vec!["[", "{", "0", "\"a\",", "\\\"", "\\u0000", "\\ud83d", "é", " ", "\n", "{\"key\":", "nul"];
    let piece = prop_oneof![prop::sample::select(pieces).prop_map(str::to_owned), ".{1,6}"];
    (prop::sample::select(around.to_vec()), piece, 0..=json::BODY_MAX).prop_map(|((before, after), piece, length)| {
        let times = length.saturating_sub(before.len() + after.len()) / piece.len();
        format!("{before}{}{after}", piece.repeat(times))
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_readers_agree(body in bodies()) {
        prop_assert_eq!(agree(&body), Ok(()));
    }

    #[test]
    fn both_readers_agree_on_anything(body in any::<String>()) {
        prop_assert_eq!(agree(&body), Ok(()));
    }

    #[test]
    fn both_readers_agree_on_long_bodies(body in long_bodies()) {
        prop_assert!(agree(&body).is_ok(), "{} bytes", body.len());
    }
}
