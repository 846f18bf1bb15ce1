//! Comparison of the registry's results and state with the model's.

use super::{
    Walk,
    caller::{ModelCaller, secret_of},
    key::ModelKey,
    model::Expected,
    trail,
};
use crate::{
    database::Database,
    registry::{
        feed_outbox,
        keys::KeyOutcome,
        rows::{KeyRow, find, workspace},
        testing::{WORKSPACE, count, keyring},
    },
    rpc::{CommandError, CommandResult},
};
use ownchat_domain::{
    audit::verify,
    failure::Failure,
    feed::Affected,
    key::Key,
    locator::Locator,
    record::{Record, kv_name},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Result of a command.
pub struct Actual {
    pub version: u64,
    /// True if a request that passed before may be refused now; `None` for a new key.
    pub narrowed: Option<bool>,
    pub key: Option<Key>,
}

impl From<KeyOutcome> for Actual {
    fn from(outcome: KeyOutcome) -> Self {
        Self { version: outcome.key.version, narrowed: Some(outcome.narrowed), key: Some(outcome.key) }
    }
}

/// Returns the JSON of a key, with sorted scopes.
pub fn shown(key: &Key) -> Value {
    let mut shown = serde_json::to_value(key).unwrap();
    shown["scopes"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    shown
}

/// Returns the content of a record in the form of [`ModelKey::record_json`].
fn record_json(record: &Record) -> Value {
    let mut scopes = record.scopes.names();
    scopes.sort();
    let secrets = record.secrets.iter().map(|secret| json!([secret.number, secret.ends_at]));
    json!({
        "id": record.locator,
        "environment": record.environment,
        "version": record.version,
        "name": record.name,
        "active": record.active,
        "deleted": record.deleted,
        "scopes": scopes,
        "not_before": record.not_before,
        "expires_at": record.expires_at,
        "allow": record.networks.allow,
        "deny": record.networks.deny,
        "channels": record.channels,
        "rate": record.limits.rate.map(|rate| (rate.limit, rate.window_seconds)),
        "quota": record.limits.quota.map(|quota| (quota.limit, quota.period)),
        "notes": record.metadata.iter().cloned().collect::<BTreeMap<_, _>>(),
        "secrets": secrets.collect::<Vec<_>>(),
    })
}

impl Walk {
    /// Compares the result of a command, its audit line and its effects.
    pub(super) fn compare(
        &mut self,
        what: &str,
        expected: Expected,
        result: CommandResult<Actual>,
        id: Option<Locator>,
    ) {
        let actual = match result {
            Ok(actual) => {
                if let Some(narrowed) = actual.narrowed {
                    assert_eq!(narrowed, self.model.narrowed, "{what}: narrowed");
                }
                let expected = id.and_then(|id| Some(self.model.keys.get(&id)?.shown(id, self.now)));
                assert_eq!(actual.key.as_ref().map(shown), expected, "{what}: the returned key");
                Expected::Done(actual.version)
            }
            Err(CommandError::Failure(Failure::Reused)) => Expected::Reused,
            Err(CommandError::Failure(Failure::NotFound)) => Expected::NotFound,
            Err(CommandError::Failure(Failure::Stale)) => Expected::Stale,
            Err(CommandError::Failure(Failure::Invalid { .. })) => Expected::Invalid,
            Err(CommandError::Failure(Failure::KeyRefused { code, .. })) => Expected::Refused(code),
            Err(CommandError::Failure(Failure::NotHeld { .. })) => Expected::NotHeld,
            Err(CommandError::Failure(Failure::Beyond { .. })) => Expected::Beyond,
            Err(CommandError::Failure(Failure::ScopeMissing { required, .. })) => {
                let lacking = ["keys:self", "keys:write", "account:write"];
                Expected::Lacks(lacking.into_iter().find(|scope| required.names() == [*scope]).unwrap())
            }
            Err(error) => panic!("{what}: {error:?}"),
        };
        assert_eq!(actual, expected, "{what}");
        if matches!((actual, self.model.caller), (Expected::Done(_), ModelCaller::Key { .. })) {
            self.commands_by_keys += 1;
        }
        if let Some(action) = self.model.last_action {
            let sql = "SELECT action, actor FROM trail ORDER BY sequence DESC LIMIT 1";
            let mut line = self.database.first(sql, &[]).unwrap().unwrap();
            let written = (line.text().unwrap(), line.text().unwrap());
            assert_eq!(written, (action.to_owned(), self.model.caller.actor()), "{what}");
        }
        self.check_key(id);
    }

    /// Compares a key, or the settings, and what is queued for feed and KV.
    pub(super) fn check_key(&self, id: Option<Locator>) {
        if let Some(id) = id {
            let row = find(&self.database, id).unwrap();
            let model = self.model.keys.get(&id);
            // Now, at its start and at its expiry.
            for now in
                [Some(self.now), model.and_then(|key| key.begin), model.and_then(|key| key.end)].into_iter().flatten()
            {
                let row = row.as_ref().map(|row: &KeyRow| shown(&row.to_key(now)));
                assert_eq!(row, model.map(|key| key.shown(id, now)), "the key at {now:?}");
            }
        }
        let pending = feed_outbox::pending(&self.database, WORKSPACE).unwrap().into_iter().map(|entry| {
            let subject = match entry.subject {
                Affected::Key(id) => id.to_string(),
                Affected::Workspace(_) => String::new(),
                Affected::Sealed(_) => unreachable!("nothing is imported"),
            };
            (subject, entry.version)
        });
        assert_eq!(pending.collect::<BTreeMap<_, _>>(), self.model.unpublished, "pending feed entries");
        assert_eq!(count(&self.database, "outbox"), i64::try_from(self.model.undelivered()).unwrap());
    }

    /// Compares every record in KV that was sealed now; every key has one.
    pub(super) fn check_delivered_records(&self) {
        let records = self.kv.records.borrow();
        for (id, key) in &self.model.keys {
            let bytes = records.get(&kv_name(*id)).unwrap_or_else(|| panic!("no record of {id}"));
            if self.model.published.get(id) == Some(&self.now) {
                self.check_record(*id, key, bytes);
            }
        }
    }

    /// Compares every record in KV.
    pub(super) fn check_records(&self) {
        let records = self.kv.records.borrow();
        for (id, key) in &self.model.keys {
            self.check_record(*id, key, &records[&kv_name(*id)]);
        }
    }

    fn check_record(&self, id: Locator, key: &ModelKey, bytes: &[u8]) {
        let record = Record::open(bytes, id, &keyring()).unwrap();
        assert_eq!(record_json(&record), key.record_json(id));
        let about = record.workspace;
        assert_eq!((about.version, about.suspended, about.outage_seconds), self.model.settings);
        assert_eq!((about.number, Some(&record.sealed_at)), (WORKSPACE, self.model.published.get(&id)));
        for secret in &key.secrets {
            let found = record.recognise(&secret_of(secret.number), &keyring());
            assert_eq!(found.map(|found| found.number as usize), Some(secret.number), "the recognised secret");
        }
        assert!(record.recognise(&secret_of(key.newest() + 1), &keyring()).is_none());
    }

    /// Compares everything.
    pub(super) fn check_all(&self) {
        for id in &self.model.all_ids {
            self.check_key(Some(*id));
        }
        assert_eq!(count(&self.database, "keys"), i64::try_from(self.model.keys.len()).unwrap());
        let settings = workspace(&self.database).unwrap();
        let (version, suspended, outage) = self.model.settings;
        assert_eq!((settings.version, settings.suspended, settings.outage_seconds), (version, suspended, outage));
        let trail = trail(&self.database);
        let (lines, _) = verify(trail.iter().map(String::as_str)).unwrap();
        assert_eq!(lines, self.model.lines);
    }
}
