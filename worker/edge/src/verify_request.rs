//! The verify request: the body of `POST /v1/verify`, and its parser.
//!
//! Most requests carry one, so it is parsed token by token. A parser for every shape of body, like
//! the console's, would be a fifth of the code. That code must load before the first response.

use hifijson::{Expect, SliceLexer, num::LexWrite as _, str::LexAlloc as _, token::Lex as _};
use ownchat_domain::{json::BodyError, limit::COST_MAX, token::BYTE_ORDER_MARK};
use std::borrow::Cow;

/// The fields of the body.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VerifyRequest<'a> {
    /// The key to verify.
    pub key: Cow<'a, str>,
    /// Names of the scopes that the request needs.
    pub scopes: Vec<Cow<'a, str>>,
    /// The channel that the request is about.
    pub channel: Option<Cow<'a, str>>,
    /// IP address of the client that handed the key over.
    pub address: Option<Cow<'a, str>>,
    /// Permits that the request costs.
    pub cost: Option<u32>,
}

/// Names of the fields.
const FIELDS: [&str; 5] = ["key", "scopes", "channel", "address", "cost"];

const STRING: &str = "a string";
const STRINGS: &str = "a list of strings";
const COST: &str = "a whole number from 0 to 10000";

type Lexer<'a> = SliceLexer<'a>;

/// The reason why parsing stopped.
enum ParseError {
    /// Invalid JSON.
    Syntax,
    /// Valid JSON of another shape.
    Content(BodyError),
}

impl<E: Into<hifijson::Error>> From<E> for ParseError {
    fn from(_: E) -> Self {
        Self::Syntax
    }
}

/// A value. Of a list or object only the first character is read.
enum JsonValue<'a> {
    Text(Cow<'a, str>),
    Number(&'a [u8]),
    List,
    Null,
    Other,
}

/// Parses the body.
///
/// # Errors
///
/// Fails if it is no JSON, or at the first field that is unknown, duplicate, missing or of another
/// type.
pub fn parse(body: &str) -> Result<VerifyRequest<'_>, BodyError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut lexer = Lexer::new(body.as_bytes());
    let mut request = VerifyRequest::default();
    let mut seen = [false; FIELDS.len()];
    let read = lexer.exactly_one(Lexer::ws_peek, |next, lexer| match next {
        b'{' => lexer.discarded().seq(b'}', Lexer::ws_peek, |next, lexer| field(&mut request, &mut seen, next, lexer)),
        _ => read_value(next, lexer).and_then(|_| Err(ParseError::Content(BodyError::no_object()))),
    });
    match read {
        Ok(()) if seen[0] => Ok(request),
        Ok(()) => Err(BodyError::missing_field(FIELDS[0])),
        Err(ParseError::Content(error)) => Err(error),
        Err(ParseError::Syntax) => {
            let before = body.len() - lexer.as_slice().len();
            let lines = body.as_bytes().get(..before).unwrap_or_default().split(|byte| *byte == b'\n');
            let (count, last) = lines.fold((0, 0), |(count, _), line| (count + 1, line.len()));
            Err(BodyError::not_json(count, last + 1))
        }
    }
}

/// Parses a field whose first character is `next`.
fn field<'a>(
    request: &mut VerifyRequest<'a>,
    seen: &mut [bool; FIELDS.len()],
    next: u8,
    lexer: &mut Lexer<'a>,
) -> Result<(), ParseError> {
    lexer.expect(|_| Some(next), b'"').ok_or(Expect::String)?;
    let name = lexer.str_string()?;
    let mut fields = FIELDS.iter().zip(seen);
    let Some((name, seen)) = fields.find(|(field, _)| **field == name) else {
        return Err(ParseError::Content(BodyError::unknown_field(&name)));
    };
    if *seen {
        return Err(ParseError::Content(BodyError::duplicate_field(name)));
    }
    *seen = true;
    lexer.expect(Lexer::ws_peek, b':').ok_or(Expect::Colon)?;
    let next = lexer.ws_peek().ok_or(Expect::Value)?;
    let value = read_value(next, lexer)?;
    match *name {
        "key" => request.key = text(value, name)?,
        "scopes" => request.scopes = texts(&value, name, lexer)?,
        "channel" => request.channel = or_null(value, |value| text(value, name))?,
        "address" => request.address = or_null(value, |value| text(value, name))?,
        _ => request.cost = or_null(value, |value| whole_number(&value, name))?,
    }
    Ok(())
}

/// Parses a value whose first character is `next`; of a list or an object only that character.
fn read_value<'a>(next: u8, lexer: &mut Lexer<'a>) -> Result<JsonValue<'a>, ParseError> {
    match next {
        b'"' => Ok(JsonValue::Text(lexer.discarded().str_string()?)),
        b'0'..=b'9' | b'-' => Ok(JsonValue::Number(lexer.num_bytes().validated()?.0)),
        b'a'..=b'z' => {
            let word = lexer.null_or_bool().ok_or(Expect::Value)?;
            Ok(word.map_or(JsonValue::Null, |_| JsonValue::Other))
        }
        b'[' => Ok(JsonValue::List),
        b'{' => Ok(JsonValue::Other),
        _ => Err(ParseError::Syntax),
    }
}

fn text<'a>(value: JsonValue<'a>, path: &str) -> Result<Cow<'a, str>, ParseError> {
    match value {
        JsonValue::Text(text) => Ok(text),
        _ => Err(ParseError::Content(BodyError::other_kind(path, STRING))),
    }
}

fn texts<'a>(value: &JsonValue<'a>, name: &str, lexer: &mut Lexer<'a>) -> Result<Vec<Cow<'a, str>>, ParseError> {
    let JsonValue::List = value else { return Err(ParseError::Content(BodyError::other_kind(name, STRINGS))) };
    let mut texts = Vec::new();
    lexer.discarded().seq(b']', Lexer::ws_peek, |next, lexer| {
        match read_value(next, lexer)? {
            JsonValue::Text(text) => texts.push(text),
            _ => return Err(ParseError::Content(BodyError::other_kind(&format!("{name}[{}]", texts.len()), STRING))),
        }
        Ok::<_, ParseError>(())
    })?;
    Ok(texts)
}

fn whole_number(value: &JsonValue<'_>, path: &str) -> Result<u32, ParseError> {
    let number = match value {
        JsonValue::Number(digits) => std::str::from_utf8(digits).ok().and_then(whole),
        _ => None,
    };
    number.filter(|number| *number <= COST_MAX).ok_or_else(|| ParseError::Content(BodyError::other_kind(path, COST)))
}

/// Parses a number that is whole in any notation, as the console's parser does. `100.0` and `1e2`
/// are whole, `-0` is not.
fn whole(digits: &str) -> Option<u32> {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let number: u64 = (units.to_owned() + fraction).parse().ok()?;
    if number == 0 {
        return Some(0);
    }
    let shift = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10u64.checked_pow(shift.unsigned_abs())?;
    let number =
        if shift < 0 { number.is_multiple_of(power).then(|| number / power) } else { number.checked_mul(power) };
    number?.try_into().ok()
}

/// An optional field may be `null`.
fn or_null<'a, T>(
    value: JsonValue<'a>,
    read: impl FnOnce(JsonValue<'a>) -> Result<T, ParseError>,
) -> Result<Option<T>, ParseError> {
    match value {
        JsonValue::Null => Ok(None),
        value => read(value).map(Some),
    }
}

#[cfg(test)]
mod tests;
