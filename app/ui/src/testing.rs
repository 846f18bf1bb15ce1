//! A test fixture: a key.

use ownchat_domain::key::Key;
use serde_json::{Value, json};

/// Builds an active key. `fields` replace its own.
pub fn key(fields: Value) -> Key {
    let mut key = json!({
        "id": "0000000000000001", "name": "", "description": "", "integration": "", "environment": "live",
        "scopes": [], "status": "active", "prefix": "", "created_at": "2026-11-24T00:00:00Z", "created_by": "",
        "updated_at": "2026-11-24T00:00:00Z", "version": 1, "metadata": {},
        "restrictions": {"allow": [], "deny": [], "channels": []},
        "secrets": [{"number": 1, "created_at": "2026-11-24T00:00:00Z"}],
    });
    if let (Some(key), Value::Object(fields)) = (key.as_object_mut(), fields) {
        key.extend(fields);
    }
    serde_json::from_value(key).unwrap_or_else(|error| unreachable!("{error}"))
}
