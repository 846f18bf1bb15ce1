//! Time of an audit line. The line's hash covers its text, so the text never changes.

use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time and the format in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    moment: Timestamp,
    /// True for older lines, which omit trailing zeros of the fraction.
    is_shortest: bool,
}

impl At {
    /// Returns the time.
    pub const fn moment(self) -> Timestamp {
        self.moment
    }
}

impl From<Timestamp> for At {
    fn from(moment: Timestamp) -> Self {
        Self { moment, is_shortest: false }
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = if self.is_shortest { self.moment.rfc3339_shortest() } else { self.moment.rfc3339() };
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment = Timestamp::parse(&text).ok_or_else(|| serde::de::Error::custom(crate::time::NOT_A_TIME))?;
        Ok(Self { moment, is_shortest: text != moment.rfc3339() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_it_was_read() {
        for text in
            ["2026-11-23T16:46:48Z", "2026-11-23T16:46:48.25Z", "2026-11-23T16:46:48.250Z", "2026-11-23T16:46:48.007Z"]
        {
            let json = format!("\"{text}\"");
            let at: At = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&at).unwrap(), json);
            assert_eq!(Some(at.moment()), Timestamp::parse(text));
        }
        let other: At = serde_json::from_str("\"2026-11-23T18:46:48+02:00\"").unwrap();
        assert_eq!(serde_json::to_string(&other).unwrap(), "\"2026-11-23T16:46:48Z\"");
    }
}
