//! Consistency of a workspace: settings, keys and audit trail agree, and KV holds the same.

use super::writer::Acknowledged;
use ownchat_domain::{
    audit::{self, Action, Line},
    key::{Facts, Key, RESTORE_WITHIN, state},
    locator::Locator,
    network::Networks,
    record::{Record, RecordSecret, Workspace, kv_name},
    time::Timestamp,
    token::prefix,
    transfer::{ExportHeader, ExportLine, KeyFacts},
    vault::registry::Settings,
};
use ownchat_runtime::Admin;
use ownchat_simulation::World;
use std::{collections::BTreeMap, net::SocketAddr};

/// All data that the registry of one workspace holds, in the form of its export.
pub struct Truth {
    file: Vec<String>,
    header: ExportHeader,
    /// By key, including deleted ones.
    keys: BTreeMap<String, KeyFacts>,
    /// By key, one line for each version.
    lines: BTreeMap<String, Vec<Line>>,
}

impl Truth {
    /// Exports the workspace from a vault, and checks that settings, keys and audit trail agree.
    pub fn read(vault: SocketAddr, workspace: u32) -> Self {
        let file = Admin::of(vault, workspace).export();
        let (mut header, mut keys, mut trail) = (None, BTreeMap::new(), Vec::new());
        for line in &file {
            match serde_json::from_str(line).unwrap() {
                ExportLine::Export(read) => header = Some(read),
                ExportLine::Key(facts) => drop(keys.insert(facts.locator.to_string(), *facts)),
                ExportLine::Line(line) => trail.push(line.get().to_owned()),
                ExportLine::End(_) => {}
            }
        }
        let mut truth = Self { header: header.unwrap(), keys, lines: BTreeMap::new(), file };
        let (count, _) = audit::verify(trail.iter().map(String::as_str)).unwrap();
        assert_eq!(count, u64::try_from(trail.len()).unwrap());
        let mut of_settings = Vec::new();
        for line in trail.iter().map(|text| serde_json::from_str::<Line>(text).unwrap()) {
            match line.key {
                Some(key) => truth.lines.entry(key.to_string()).or_default().push(line),
                None if line.action == Action::EditWorkspace => of_settings.push(line),
                None => assert_eq!(line.action, Action::Export),
            }
        }
        truth.check_settings(&of_settings);
        assert!(truth.keys.keys().eq(truth.lines.keys()), "keys and trail");
        for (id, facts) in &truth.keys {
            check(facts, &truth.lines[id]);
        }
        truth.check_names();
        truth
    }

    /// Checks that each version has one line, and that the last line equals the settings.
    fn check_settings(&self, lines: &[Line]) {
        let settings = self.settings();
        assert_eq!(settings.version, 1 + u64::try_from(lines.len()).unwrap(), "settings and trail");
        if let Some(last) = lines.last().and_then(|line| line.after.as_ref()) {
            assert_eq!(serde_json::from_str::<Settings>(last.get()).unwrap(), settings);
        }
    }

    /// Checks that no repeated request has created two keys. The description of each created key is
    /// the name of its request.
    fn check_names(&self) {
        let mut names: Vec<&str> = self.keys.values().map(|facts| facts.description.as_str()).collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "one request has made two keys: {twice:?}");
    }

    /// Checks that another vault exports exactly the same.
    pub fn expect_same(&self, vault: SocketAddr) {
        assert!(Self::read(vault, self.header.workspace).file == self.file, "the vault is not what it has stored");
    }

    pub fn settings(&self) -> Settings {
        let ExportHeader { name, version, suspended, outage_seconds, .. } = self.header.clone();
        Settings { name, version, suspended, outage_seconds }
    }

    /// The key as admins see it, if it is not deleted; true if it is deleted; its version.
    pub fn key(&self, id: Locator) -> (Option<Key>, bool, u64) {
        let facts = self.keys.get(&id.to_string()).expect("a key that was acknowledged is lost");
        let deleted = facts.deleted_at.is_some();
        ((!deleted).then(|| shown(facts, facts.updated_at)), deleted, facts.version)
    }

    /// The key that the request of this name has created, if any.
    pub fn made_by(&self, name: &str) -> Option<Locator> {
        self.keys.values().find(|facts| facts.description == name).map(|facts| facts.locator)
    }

    /// Checks that the audit trail holds an acknowledged change as it was acknowledged.
    pub fn holds(&self, change: &Acknowledged) {
        let lines = self.lines.get(&change.id.to_string()).expect("a key that was acknowledged is lost");
        let line = lines.get(usize::try_from(change.version).unwrap() - 1);
        let line = line
            .unwrap_or_else(|| panic!("version {} of {:?} was acknowledged and is lost", change.version, change.id));
        assert_eq!(
            after(line),
            change.key,
            "version {} of {:?} is another than was acknowledged",
            change.version,
            change.id
        );
    }

    /// Returns true if KV holds the right record of every key.
    pub fn is_in_kv(&self, world: &World) -> bool {
        self.keys.values().all(|facts| self.difference(world, facts).is_none())
    }

    /// Describes each missing or wrong record in KV, beside the right one.
    pub fn different_in_kv(&self, world: &World) -> Vec<String> {
        self.keys.values().filter_map(|facts| self.difference(world, facts)).collect()
    }

    /// Compares a record in KV with the truth, sealed at the same moment. Equal bytes mean that no
    /// field differs, and that the newest master secret seals it.
    fn difference(&self, world: &World, facts: &KeyFacts) -> Option<String> {
        let Some(bytes) = world.kv.newest(&kv_name(facts.locator)) else {
            return Some(format!("{:?} is not there", facts.locator));
        };
        let keyring = world.keyring();
        let there = match Record::open(&bytes, facts.locator, &keyring) {
            Ok(there) => there,
            Err(error) => return Some(format!("what is there of {:?} is not good: {error}", facts.locator)),
        };
        let right = self.record(facts, there.sealed_at);
        (right.seal(&keyring).unwrap() != bytes).then(|| format!("{there:?} is there, not {right:?}"))
    }

    fn record(&self, facts: &KeyFacts, sealed_at: Timestamp) -> Record {
        let KeyFacts { restrictions, metadata, secrets, .. } = facts.clone();
        let ExportHeader { workspace: number, version, suspended, outage_seconds, .. } = self.header;
        Record {
            locator: facts.locator,
            workspace: Workspace { number, version, suspended, outage_seconds },
            environment: facts.environment,
            version: facts.version,
            sealed_at,
            name: facts.name.clone(),
            active: facts.active,
            deleted: facts.deleted_at.is_some(),
            scopes: facts.scopes,
            not_before: facts.not_before,
            expires_at: facts.expires_at,
            networks: Networks { allow: restrictions.allow, deny: restrictions.deny },
            channels: restrictions.channels,
            limits: facts.limits,
            metadata: metadata.into_iter().collect(),
            secrets: secrets
                .into_iter()
                .map(|secret| RecordSecret {
                    number: secret.number,
                    master: secret.master,
                    digest: secret.digest,
                    ends_at: secret.ends_at,
                })
                .collect(),
        }
    }
}

/// Checks that each version has one line, and that the last line equals the key.
fn check(facts: &KeyFacts, lines: &[Line]) {
    let id = facts.locator;
    assert_eq!(u64::try_from(lines.len()).unwrap(), facts.version, "versions and lines of {id:?}");
    assert!([Action::Create, Action::Duplicate].contains(&lines[0].action), "{id:?}");
    let last = lines.last().unwrap();
    let is_deleted = facts.deleted_at.is_some();
    assert_eq!(last.action == Action::Delete, is_deleted, "{id:?}");
    assert_eq!(after(last), (!is_deleted).then(|| shown(facts, last.at.moment())), "{id:?} and its last line");
    if let Some(number) = facts.name.strip_prefix("Edited ") {
        assert_eq!(facts.metadata.get("number").map(String::as_str), Some(number), "{id:?} is torn");
        assert_eq!(facts.restrictions.channels, [number], "{id:?} is torn");
    }
}

fn after(line: &Line) -> Option<Key> {
    line.after.as_ref().map(|after| serde_json::from_str(after.get()).unwrap())
}

/// The key as admins see it.
fn shown(facts: &KeyFacts, now: Timestamp) -> Key {
    let (status, reason) = state(
        Facts {
            deleted: facts.deleted_at.is_some(),
            active: facts.active,
            not_before: facts.not_before,
            expires_at: facts.expires_at,
        },
        now,
    );
    let KeyFacts { name, description, integration, reason: reason_text, .. } = facts.clone();
    Key {
        id: facts.locator,
        name,
        description,
        integration,
        environment: facts.environment,
        scopes: facts.scopes,
        status,
        reason,
        reason_text,
        prefix: prefix(facts.environment, facts.locator),
        created_at: facts.created_at,
        created_by: facts.created_by.clone(),
        updated_at: facts.updated_at,
        version: facts.version,
        not_before: facts.not_before,
        expires_at: facts.expires_at,
        last_used_at: None,
        restore_until: facts.deleted_at.map(|at| at.plus(RESTORE_WITHIN)),
        restrictions: facts.restrictions.clone(),
        rate_limit: facts.limits.rate,
        quota: facts.limits.quota.map(Into::into),
        secrets: facts.shown_secrets(),
        metadata: facts.metadata.clone(),
    }
}
