//! Two values flattened into one JSON object, so clients that know only the first part still read a
//! grown response.
//!
//! `serde(flatten)` writes the same but compiles a second copy of the code for every type in it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};
use serde_json::value::RawValue;

/// Serialises the fields of both values. Both must be objects, and `second` must have a field.
pub fn write<S: Serializer>(first: &impl Serialize, second: &impl Serialize, serializer: S) -> Result<S::Ok, S::Error> {
    let text = |error: serde_json::Error| S::Error::custom(error);
    let mut object = serde_json::to_string(first).map_err(text)?;
    let more = serde_json::to_string(second).map_err(text)?;
    object.pop();
    object.push(',');
    object.push_str(more.get(1..).unwrap_or_default());
    RawValue::from_string(object).map_err(text)?.serialize(serializer)
}

/// Reads both values from one JSON object.
pub fn read<'de, D: Deserializer<'de>, A: DeserializeOwned, B: DeserializeOwned>(
    deserializer: D,
) -> Result<(A, B), D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    // Parses from bytes, as for all other data from Workers, which reuses the compiled code.
    let bytes = raw.get().as_bytes();
    let first = serde_json::from_slice(bytes).map_err(D::Error::custom)?;
    Ok((first, serde_json::from_slice(bytes).map_err(D::Error::custom)?))
}

#[cfg(test)]
mod tests {
    use crate::time::Timestamp;
    use crate::vault::{
        Outcome,
        registry::{ChangedSettings, Settings},
    };

    #[test]
    fn each_version_reads_the_other() {
        let settings = Settings { name: "Shop".into(), version: 2, suspended: true, outage_seconds: 0 };
        let effective_at = Some(Timestamp::from_millis(1_795_452_408_000));
        let changed: Outcome<ChangedSettings> = Ok(ChangedSettings { settings: settings.clone(), effective_at });
        let text = serde_json::to_string(&changed).unwrap();
        assert_eq!(
            text,
            r#"{"Ok":{"name":"Shop","version":2,"suspended":true,"outage_seconds":0,"effective_at":"2026-11-23T16:46:48.000Z"}}"#
        );
        assert_eq!(serde_json::from_str::<Outcome<ChangedSettings>>(&text).unwrap(), changed);
        assert_eq!(serde_json::from_str::<Outcome<Settings>>(&text).unwrap(), Ok(settings.clone()), "the one before");
        let before = serde_json::to_string(&Outcome::Ok(settings.clone())).unwrap();
        let read = serde_json::from_str::<Outcome<ChangedSettings>>(&before).unwrap();
        assert_eq!(read, Ok(ChangedSettings { settings, effective_at: None }), "of the one before");
    }
}
