//! Parser for URL query parameters, with the same error messages as for a JSON body.

use crate::{
    failure::FieldError,
    json::{self, BodyError, Word},
};
use serde::{
    Deserialize, Deserializer,
    de::{
        Error as _, IntoDeserializer, Unexpected, Visitor,
        value::{Error, MapDeserializer},
    },
    forward_to_deserialize_any,
};

/// Parses the parameters into `T`. Unknown parameters are errors if `T` denies unknown fields.
///
/// # Errors
///
/// Returns the parameter at fault with a message.
pub fn read<'a, T: Deserialize<'a>>(parameters: Vec<(String, String)>) -> Result<T, FieldError> {
    let values = parameters.into_iter().map(|(name, value)| (name, ParameterValue(value)));
    serde_path_to_error::deserialize(MapDeserializer::new(values)).map_err(|error| {
        let path = error.path().to_string();
        match json::fault(&error.into_inner().to_string(), &path) {
            BodyError::Field(error) => error,
            BodyError::Unreadable(message) => FieldError::new("query", message),
        }
    })
}

/// The raw text of a parameter's value.
struct ParameterValue(String);

impl IntoDeserializer<'_, Error> for ParameterValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Implements integer deserialisation from digits, without a sign or an exponent.
macro_rules! whole_numbers {
    ($($method:ident: $kind:ty),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.digits()?.parse::<$kind>().map_or_else(|_| Err(too_great()), |number| visitor.visit_u64(number.into()))
        })*
    };
}

fn too_great() -> Error {
    Error::invalid_value(Unexpected::Other("a great number"), &"a smaller number")
}

impl ParameterValue {
    fn digits(&self) -> Result<&str, Error> {
        // As in JSON, 10.0 is a whole number.
        let digits = self.0.strip_suffix(".0").unwrap_or(&self.0);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            .then_some(digits)
            .ok_or_else(|| Error::invalid_value(Unexpected::Other("another text"), &"a whole number, 0 or more"))
    }
}

impl<'de> Deserializer<'de> for ParameterValue {
    type Error = Error;

    whole_numbers! {
        deserialize_u32: u32,
        deserialize_u64: u64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Word { visitor, words }.visit_str(&self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::{KeyQuery, StatusFilter},
        vault::{registry::TrailQuery, usage::UsageQuery},
    };

    fn pairs(query: &str) -> Vec<(String, String)> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn parameters_are_read() {
        let query: KeyQuery = read(pairs("limit=7&q=12&status=active&scope=contacts:read")).unwrap();
        assert_eq!((query.limit, query.q.as_deref(), query.status), (Some(7), Some("12"), Some(StatusFilter::Active)));
        assert_eq!(read::<KeyQuery>(Vec::new()), Ok(KeyQuery::default()));
        assert_eq!(read::<KeyQuery>(pairs("limit=10.0")).map(|query| query.limit), Ok(Some(10)));
    }

    #[test]
    fn a_route_without_parameters_refuses_each_by_name() {
        #[derive(Debug, Deserialize, PartialEq, Eq)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        assert_eq!(read(Vec::new()), Ok(Nothing {}));
        let refused = FieldError::new("dry_run", "There is no such field here.");
        assert_eq!(read::<Nothing>(pairs("dry_run=true")), Err(refused));
    }

    #[test]
    fn a_fault_is_named_by_its_parameter() {
        type ReadQuery = fn(Vec<(String, String)>) -> Option<FieldError>;
        let keys: ReadQuery = |pairs| read::<KeyQuery>(pairs).err();
        let usage: ReadQuery = |pairs| read::<UsageQuery>(pairs).err();
        let trail: ReadQuery = |pairs| read::<TrailQuery>(pairs).err();
        for (ask, query, field, message) in [
            (keys, "colour=red", "colour", "There is no such field here."),
            (keys, "limit=1&limit=2", "limit", "This is given twice."),
            (keys, "limit=", "limit", "This must be a whole number, 0 or more."),
            (keys, "limit=+1", "limit", "This must be a whole number, 0 or more."),
            (keys, "limit=-1", "limit", "This must be a whole number, 0 or more."),
            (keys, "limit=.0", "limit", "This must be a whole number, 0 or more."),
            (keys, "limit=1e1", "limit", "This must be a whole number, 0 or more."),
            (keys, "limit=1.5", "limit", "This must be a whole number, 0 or more."),
            (keys, "limit=4294967296", "limit", "This must be a smaller number."),
            (keys, "status=", "status", "This must be one of active, inactive, deleted."),
            (keys, "environment=prod", "environment", "This must be either live or test."),
            (keys, "scope=contacts:fly", "scope", "There is no scope called \"contacts:fly\"."),
            (usage, "from=today", "from", crate::time::NOT_A_TIME),
            (usage, "step=week", "step", "This must be one of minute, hour, day."),
            (trail, "actor=me", "actor", "An actor is the id of an account, or key: and the id of a key."),
            (trail, "key=x", "key", "The id of a key has 16 letters and digits."),
        ] {
            assert_eq!(ask(pairs(query)), Some(FieldError::new(field, message)), "{query}");
        }
        assert!(trail(pairs("action=key.fly")).unwrap().message.starts_with("This must be one of key.create, "));
    }
}
