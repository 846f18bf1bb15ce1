//! Flash messages: one action on a key, when it takes effect, and the data to undo it. A signed
//! cookie carries the message to the next page, which shows it once.

use crate::texts::{
    common::{ADVICE, PASTED},
    flash as text,
};
use ownchat_domain::{key::Key, locator::Locator, time::Timestamp};
use serde::{Deserialize, Serialize};

/// An action on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAction {
    /// The key was deactivated.
    Deactivated,
    /// The key was activated.
    Activated,
    /// The key was activated, but has expired.
    ActivatedTooLate,
    /// The key was edited.
    Saved,
    /// The form contained no change.
    Unchanged,
    /// The key was deleted.
    Deleted,
    /// The deletion was undone.
    Restored,
    /// A whole key was pasted into a URL.
    Pasted,
}

/// A flash message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The action.
    pub action: KeyAction,
    /// Id of the key.
    pub id: Locator,
    /// Display name of the key.
    pub name: String,
    /// Version of the key after the action.
    pub version: u64,
    /// Time from which the action applies everywhere; `None` if it revokes nothing.
    pub effective_at: Option<Timestamp>,
    /// Expiry of an expired key, or end of the restore period of a deleted key.
    pub limit: Option<Timestamp>,
}

impl Flash {
    /// Creates the message for an action, from the key after it.
    pub fn of(action: KeyAction, key: Key, effective_at: Option<Timestamp>) -> Self {
        let limit = match action {
            KeyAction::ActivatedTooLate => key.expires_at,
            KeyAction::Deleted => key.restore_until,
            _ => None,
        };
        Self { action, id: key.id, name: key.name, version: key.version, effective_at, limit }
    }

    /// Creates the message for a key pasted into a URL.
    pub const fn pasted(id: Locator) -> Self {
        Self { action: KeyAction::Pasted, id, name: String::new(), version: 0, effective_at: None, limit: None }
    }

    /// Returns the text of the message.
    pub fn sentence(&self, now: Timestamp) -> String {
        let limit = self.limit.map(Timestamp::day_in_utc).unwrap_or_default();
        match self.action {
            KeyAction::Deactivated => text::deactivated(&self.applies(now, text::refused)),
            KeyAction::Activated => text::ACTIVATED.to_owned(),
            KeyAction::ActivatedTooLate => text::activated_too_late(&limit),
            KeyAction::Saved => text::saved(&self.applies(now, text::effective)),
            KeyAction::Unchanged => text::UNCHANGED.to_owned(),
            KeyAction::Deleted => text::deleted(&self.applies(now, text::refused), &limit),
            KeyAction::Restored => text::RESTORED.to_owned(),
            KeyAction::Pasted if self.name.is_empty() => PASTED.to_owned(),
            KeyAction::Pasted => format!("{PASTED} {ADVICE}"),
        }
    }

    /// Returns the sentence about the time from which the action applies everywhere.
    fn applies(&self, now: Timestamp, sentence: fn(&str) -> String) -> String {
        self.effective_at.map(|at| sentence(&moment(at, now))).unwrap_or_default()
    }
}

/// Formats a future time, rounded up to a second, with its date unless that is today.
fn moment(at: Timestamp, now: Timestamp) -> String {
    let at = at.rounded_up_to_second();
    let (day, today) = (at.day_month_year(), now.day_month_year());
    if day == today { text::today(&at.time_of_day()) } else { text::on_day(&at.time_of_day(), &day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_change_is_never_said_to_hold_before_it_does() {
        for (now, at, words) in [
            ("2026-11-23T16:46:43Z", "2026-11-23T16:46:48Z", "16:46:48 UTC"),
            ("2026-11-23T16:46:43Z", "2026-11-23T16:46:48.001Z", "16:46:49 UTC"),
            ("2026-11-23T16:46:43Z", "2026-11-23T16:46:48.999Z", "16:46:49 UTC"),
            // An edge outage of one hour is allowed.
            ("2026-11-23T23:30:00Z", "2026-11-24T00:30:00Z", "00:30:00 UTC on 24 Nov 2026"),
            ("2026-11-23T23:59:54Z", "2026-11-23T23:59:59.001Z", "00:00:00 UTC on 24 Nov 2026"),
            ("2026-11-24T00:00:01Z", "2026-11-24T00:00:04Z", "00:00:04 UTC"),
        ] {
            assert_eq!(moment(time(at), time(now)), words, "{at}, said at {now}");
        }
    }

    #[test]
    fn a_message_names_the_action_and_its_effective_time() {
        let (now, at) = (time("2026-11-23T21:24:53Z"), time("2026-11-23T21:24:58Z"));
        let flash = |action, effective_at, limit| Flash {
            action,
            id: "0123456789abcdef".parse().unwrap(),
            name: "CRM".into(),
            version: 2,
            effective_at,
            limit,
        };
        for (flash, words) in [
            (flash(KeyAction::Deactivated, Some(at), None), "@ is off. Refused everywhere from 21:24:58 UTC."),
            (flash(KeyAction::Deactivated, None, None), "@ is off."),
            (flash(KeyAction::Saved, Some(at), None), "@ saved. Takes effect everywhere by 21:24:58 UTC."),
            (flash(KeyAction::Saved, None, None), "@ saved."),
            (
                flash(KeyAction::Deleted, Some(at), Some(time("2026-12-23T21:24:53Z"))),
                "@ deleted. Refused everywhere from 21:24:58 UTC. You can restore it until 23 Dec 2026 UTC.",
            ),
            (flash(KeyAction::ActivatedTooLate, None, Some(at)), "@ is on but expired on 23 Nov 2026 UTC."),
        ] {
            assert_eq!(flash.sentence(now), words);
        }
    }
}
