//! What the walk changes of a key, and what becomes of the key.

use super::{Walk, key::Key};
use ownchat_domain::time::{DAY, HOUR, Timestamp};
use serde_json::{Value, json};

/// A change of one key.
#[derive(Clone, Debug)]
pub enum Change {
    Name(&'static str),
    Description(&'static str),
    Integration(&'static str),
    Status(bool, Option<&'static str>),
    Scopes(Vec<&'static str>),
    Begin(Option<Timestamp>),
    End(Option<Timestamp>),
    Allow(Vec<&'static str>),
    Deny(Vec<&'static str>),
    Channels(Vec<&'static str>),
    /// None of the three.
    NoRestrictions,
    Rate(Option<(u32, u32)>),
    /// The number of the rate limit, whatever its window is.
    RatePart(u32),
    Quota(Option<(u32, &'static str)>),
    /// The period of the quota, whatever its number is.
    QuotaPart(&'static str),
    Note(&'static str, Option<&'static str>),
    NoNotes,
    /// Something that no key can be.
    Wrong,
}

impl Change {
    /// As it is asked for.
    pub fn json(&self) -> Value {
        let or_null = |list: &[&str]| if list.is_empty() { Value::Null } else { json!(list) };
        match self {
            Self::Name(name) => json!({"name": name}),
            Self::Description(text) => json!({"description": text}),
            Self::Integration(text) => json!({"integration": text}),
            Self::Status(true, _) => json!({"status": "active"}),
            Self::Status(false, None) => json!({"status": "inactive"}),
            Self::Status(false, reason) => json!({"status": "inactive", "reason": reason}),
            Self::Scopes(scopes) => json!({"scopes": scopes}),
            Self::Begin(begin) => json!({"not_before": begin}),
            Self::End(end) => json!({"expires_at": end}),
            Self::Allow(allow) => json!({"restrictions": {"allow": or_null(allow)}}),
            Self::Deny(deny) => json!({"restrictions": {"deny": or_null(deny)}}),
            Self::Channels(channels) => json!({"restrictions": {"channels": or_null(channels)}}),
            Self::NoRestrictions => json!({"restrictions": null}),
            Self::Rate(rate) => {
                json!({"rate_limit": rate.map(|(limit, seconds)| json!({"limit": limit, "window_seconds": seconds}))})
            }
            Self::RatePart(limit) => json!({"rate_limit": {"limit": limit}}),
            Self::Quota(quota) => {
                json!({"quota": quota.map(|(limit, period)| json!({"limit": limit, "period": period}))})
            }
            Self::QuotaPart(period) => json!({"quota": {"period": period}}),
            Self::Note(name, value) => json!({"metadata": {*name: value}}),
            Self::NoNotes => json!({"metadata": null}),
            Self::Wrong => json!({"name": "  "}),
        }
    }

    /// Whether it switches a key off and does nothing else.
    pub const fn only_switches_off(&self) -> bool {
        matches!(self, Self::Status(false, _))
    }
}

impl Key {
    /// The key after a change, if there can be one like it.
    pub fn after(&self, change: &Change) -> Option<Self> {
        self.with(change).filter(Self::is_in_order)
    }

    /// Tells if it begins before it ends, and can be used from somewhere.
    pub fn is_in_order(&self) -> bool {
        self.begin.is_none_or(|begin| self.end.is_none_or(|end| begin < end)) && self.has_a_place()
    }

    /// The key of which this is said, in whatever order it begins and ends.
    pub fn with(&self, change: &Change) -> Option<Self> {
        let mut after = self.clone();
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        match change {
            Change::Name(name) => after.name = (*name).into(),
            Change::Description(text) => after.description = (*text).into(),
            Change::Integration(text) => after.integration = (*text).into(),
            Change::Status(true, _) => (after.active, after.reason) = (true, None),
            Change::Status(false, reason) => {
                after.active = false;
                after.reason = reason.map(str::to_owned).or(after.reason);
            }
            Change::Scopes(scopes) => after.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            Change::Begin(begin) => after.begin = *begin,
            Change::End(end) => after.end = *end,
            Change::Allow(allow) => after.allow = owned(allow),
            Change::Deny(deny) => after.deny = owned(deny),
            Change::Channels(channels) => after.channels = owned(channels),
            Change::NoRestrictions => {
                (after.allow, after.deny, after.channels) = (Vec::new(), Vec::new(), Vec::new());
            }
            Change::Rate(rate) => after.rate = *rate,
            Change::RatePart(limit) => after.rate = Some((*limit, after.rate?.1)),
            Change::Quota(quota) => after.quota = *quota,
            Change::QuotaPart(period) => after.quota = Some((after.quota?.0, *period)),
            Change::Note(name, Some(value)) => drop(after.notes.insert((*name).into(), (*value).into())),
            Change::Note(name, None) => drop(after.notes.remove(*name)),
            Change::NoNotes => after.notes.clear(),
            Change::Wrong => return None,
        }
        Some(after)
    }
}

impl Walk {
    /// A change that a new key can have as well.
    pub(super) fn fact(&mut self) -> Change {
        let now = self.now;
        let networks = super::asking::NETWORKS.map(|(network, _)| network);
        match self.dice.roll(14) {
            0 => Change::Description(self.dice.pick(&["", "For the till", "Größe"])),
            1 => Change::Integration(self.dice.pick(&["", "POS", "CRM"])),
            2 => Change::Begin(self.dice.pick(&[None, None, Some(HOUR), Some(30 * DAY)]).map(|wait| now.plus(wait))),
            3 | 4 => Change::End(self.dice.pick(&[None, Some(DAY), Some(40 * DAY)]).map(|wait| now.plus(wait))),
            5 | 6 => Change::Allow(if self.dice.roll(3) == 0 { Vec::new() } else { self.dice.some(&networks) }),
            7 => Change::Deny(if self.dice.roll(2) == 0 { Vec::new() } else { self.dice.some(&networks) }),
            8 | 9 => {
                Change::Channels(if self.dice.roll(2) == 0 { Vec::new() } else { self.dice.some(&["ch_1", "ch_2"]) })
            }
            10 => Change::Rate(self.dice.pick(&[None, Some((5, 10)), Some((50, 10)), Some((50, 60))])),
            11 => Change::Quota(self.dice.pick(&[None, Some((9, "day")), Some((900, "day")), Some((900, "month"))])),
            _ => Change::Note(self.dice.pick(&["team", "till"]), Some(self.dice.pick(&["", "commerce", "é"]))),
        }
    }

    /// Any change.
    pub(super) fn any_change(&mut self) -> Change {
        match self.dice.roll(20) {
            0 => Change::Name(self.dice.pick(&["Shop", "Store", "Market"])),
            1 | 2 => Change::Status(true, None),
            3 | 4 => Change::Status(false, self.dice.pick(&[None, Some("leaked"), Some("moved")])),
            5 | 6 => Change::Scopes(self.dice.some(&super::asking::SCOPES)),
            7 => Change::NoRestrictions,
            8 => Change::RatePart(self.dice.pick(&[5, 50])),
            9 => Change::QuotaPart(self.dice.pick(&["day", "month"])),
            10 => Change::Note(self.dice.pick(&["team", "till"]), None),
            11 => {
                if self.dice.roll(2) == 0 {
                    Change::NoNotes
                } else {
                    Change::Wrong
                }
            }
            _ => self.fact(),
        }
    }
}
