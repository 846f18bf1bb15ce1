//! Edits of the random walk, and their effect on a key of the model.

use super::{Walk, key::ModelKey};
use ownchat_domain::time::{DAY, HOUR, Timestamp};
use serde_json::{Value, json};

/// An edit of one key.
#[derive(Clone, Debug)]
pub enum Edit {
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
    /// Removes allow list, deny list and channels.
    NoRestrictions,
    Rate(Option<(u32, u32)>),
    /// Changes the limit of the rate and keeps its window.
    RatePart(u32),
    Quota(Option<(u32, &'static str)>),
    /// Changes the period of the quota and keeps its limit.
    QuotaPart(&'static str),
    Note(&'static str, Option<&'static str>),
    NoNotes,
    /// An invalid edit.
    Wrong,
}

impl Edit {
    /// Returns the JSON of the request.
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

    /// Returns true if it deactivates a key and does nothing else.
    pub const fn only_switches_off(&self) -> bool {
        matches!(self, Self::Status(false, _))
    }
}

impl ModelKey {
    /// Returns the edited key, if it is valid.
    pub fn after(&self, edit: &Edit) -> Option<Self> {
        self.with(edit).filter(Self::is_in_order)
    }

    /// Returns true if it starts before it expires, and accepts some client IP.
    pub fn is_in_order(&self) -> bool {
        self.begin.is_none_or(|begin| self.end.is_none_or(|end| begin < end)) && self.accepts_some_address()
    }

    /// Returns the edited key, without a check of its order and its addresses.
    pub fn with(&self, edit: &Edit) -> Option<Self> {
        let mut after = self.clone();
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        match edit {
            Edit::Name(name) => after.name = (*name).into(),
            Edit::Description(text) => after.description = (*text).into(),
            Edit::Integration(text) => after.integration = (*text).into(),
            Edit::Status(true, _) => (after.active, after.reason) = (true, None),
            Edit::Status(false, reason) => {
                after.active = false;
                after.reason = reason.map(str::to_owned).or(after.reason);
            }
            Edit::Scopes(scopes) => after.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            Edit::Begin(begin) => after.begin = *begin,
            Edit::End(end) => after.end = *end,
            Edit::Allow(allow) => after.allow = owned(allow),
            Edit::Deny(deny) => after.deny = owned(deny),
            Edit::Channels(channels) => after.channels = owned(channels),
            Edit::NoRestrictions => {
                (after.allow, after.deny, after.channels) = (Vec::new(), Vec::new(), Vec::new());
            }
            Edit::Rate(rate) => after.rate = *rate,
            Edit::RatePart(limit) => after.rate = Some((*limit, after.rate?.1)),
            Edit::Quota(quota) => after.quota = *quota,
            Edit::QuotaPart(period) => after.quota = Some((after.quota?.0, *period)),
            Edit::Note(name, Some(value)) => drop(after.notes.insert((*name).into(), (*value).into())),
            Edit::Note(name, None) => drop(after.notes.remove(*name)),
            Edit::NoNotes => after.notes.clear(),
            Edit::Wrong => return None,
        }
        Some(after)
    }
}

impl Walk {
    /// Picks an edit that a new key may have too.
    pub(super) fn any_fact(&mut self) -> Edit {
        let now = self.now;
        let networks = super::caller::NETWORKS.map(|(network, _)| network);
        match self.rng.below(14) {
            0 => Edit::Description(self.rng.pick(&["", "For the till", "Größe"])),
            1 => Edit::Integration(self.rng.pick(&["", "POS", "CRM"])),
            2 => Edit::Begin(self.rng.pick(&[None, None, Some(HOUR), Some(30 * DAY)]).map(|delay| now.plus(delay))),
            3 | 4 => Edit::End(self.rng.pick(&[None, Some(DAY), Some(40 * DAY)]).map(|delay| now.plus(delay))),
            5 | 6 => Edit::Allow(if self.rng.below(3) == 0 { Vec::new() } else { self.rng.some(&networks) }),
            7 => Edit::Deny(if self.rng.below(2) == 0 { Vec::new() } else { self.rng.some(&networks) }),
            8 | 9 => Edit::Channels(if self.rng.below(2) == 0 { Vec::new() } else { self.rng.some(&["ch_1", "ch_2"]) }),
            10 => Edit::Rate(self.rng.pick(&[None, Some((5, 10)), Some((50, 10)), Some((50, 60))])),
            11 => Edit::Quota(self.rng.pick(&[None, Some((9, "day")), Some((900, "day")), Some((900, "month"))])),
            _ => Edit::Note(self.rng.pick(&["team", "till"]), Some(self.rng.pick(&["", "commerce", "é"]))),
        }
    }

    /// Picks an edit.
    pub(super) fn any_edit(&mut self) -> Edit {
        match self.rng.below(20) {
            0 => Edit::Name(self.rng.pick(&["Shop", "Store", "Market"])),
            1 | 2 => Edit::Status(true, None),
            3 | 4 => Edit::Status(false, self.rng.pick(&[None, Some("leaked"), Some("moved")])),
            5 | 6 => Edit::Scopes(self.rng.some(&super::caller::SCOPES)),
            7 => Edit::NoRestrictions,
            8 => Edit::RatePart(self.rng.pick(&[5, 50])),
            9 => Edit::QuotaPart(self.rng.pick(&["day", "month"])),
            10 => Edit::Note(self.rng.pick(&["team", "till"]), None),
            11 => {
                if self.rng.below(2) == 0 {
                    Edit::NoNotes
                } else {
                    Edit::Wrong
                }
            }
            _ => self.any_fact(),
        }
    }
}
