//! Visitors of scalar values: whole numbers, and words from a list.

use serde::de::{Error, IntoDeserializer, Unexpected, Visitor};
use std::fmt;

/// A visitor of a non-negative whole number.
///
/// It accepts `100.0`, as languages without integers write it.
pub struct Whole<V> {
    /// Visitor that receives the number.
    pub visitor: V,
    /// Maximum of the number.
    pub max: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Whole<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, 0 or more")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<V::Value, E> {
        if number > self.max {
            return Err(E::invalid_value(Unexpected::Unsigned(number), &"a smaller number"));
        }
        self.visitor.visit_u64(number)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and not negative")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<V::Value, E> {
        if number.fract() == 0.0 && number.is_sign_positive() {
            // The cast saturates: a number that is too large becomes the maximum.
            self.visit_u64(number as u64)
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
}

/// A visitor of the words of an enum without fields.
pub struct Word<V> {
    /// Visitor that receives the word.
    pub visitor: V,
    /// Accepted words, the variants of the enum.
    pub words: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Word<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words {
            [one, other] => write!(f, "either {one} or {other}"),
            words => write!(f, "one of {}", words.join(", ")),
        }
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<V::Value, E> {
        if self.words.contains(&word) {
            self.visitor.visit_enum(word.into_deserializer())
        } else {
            // The word comes from the caller and is not repeated.
            Err(E::invalid_value(Unexpected::Other("another word"), &self))
        }
    }
}
