//! Values without parts: whole numbers, and words out of a list.

use serde::de::{Error, IntoDeserializer, Unexpected, Visitor};
use std::fmt;

/// A visitor of a whole number that is not negative. A number such as `100.0` is one: languages
/// without whole numbers write it so.
pub struct Whole<V> {
    /// Takes the number.
    pub visitor: V,
    /// The greatest number that it takes.
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
            // One that is too great becomes the greatest.
            self.visit_u64(number as u64)
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
}

/// A visitor of one of these words, which are the variants of an enum without fields.
pub struct Word<V> {
    /// Takes the word.
    pub visitor: V,
    /// The words.
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
            // The word is the caller's, and is not repeated.
            Err(E::invalid_value(Unexpected::Other("another word"), &self))
        }
    }
}
