//! The message after an act on a key: what was done to which key, from when it holds, and how to
//! undo it. A signed cookie carries it to the next page, which shows it once.

use crate::texts::{ADVICE, PASTED};
use ownchat_domain::{key::Key, locator::Locator, time::Timestamp};
use serde::{Deserialize, Serialize};

/// An act on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It was deactivated.
    Deactivated,
    /// It was activated.
    Activated,
    /// It was activated, and its expiry has passed.
    ActivatedTooLate,
    /// It was edited.
    Saved,
    /// The form held nothing new.
    Unchanged,
    /// It was deleted.
    Deleted,
    /// Its deletion was undone.
    Restored,
    /// It was pasted, whole, into an address.
    Pasted,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The act.
    pub act: Act,
    /// To which key.
    pub id: Locator,
    /// The key's name.
    pub name: String,
    /// The key's version after the act.
    pub version: u64,
    /// When the act holds everywhere; none if it takes nothing from anybody.
    pub effective_at: Option<Timestamp>,
    /// When the key has expired, or until when it can be restored.
    pub limit: Option<Timestamp>,
}

impl Flash {
    /// The message of an act that left the key like this.
    pub fn of(act: Act, key: Key, effective_at: Option<Timestamp>) -> Self {
        let limit = match act {
            Act::ActivatedTooLate => key.expires_at,
            Act::Deleted => key.restore_until,
            _ => None,
        };
        Self { act, id: key.id, name: key.name, version: key.version, effective_at, limit }
    }

    /// The message to somebody who pasted a whole key.
    pub const fn pasted(id: Locator) -> Self {
        Self { act: Act::Pasted, id, name: String::new(), version: 0, effective_at: None, limit: None }
    }

    /// The sentences after the key's name; the whole message where it names no key.
    pub fn sentence(&self, now: Timestamp) -> String {
        let limit = self.limit.map(Timestamp::day_in_utc).unwrap_or_default();
        match self.act {
            Act::Deactivated => format!(" is off.{}", self.refused(now)),
            Act::Activated => " is on again.".to_owned(),
            Act::ActivatedTooLate => format!(" is on, but it expired on {limit}."),
            Act::Saved => match self.effective_at {
                Some(at) => format!(" is saved. Takes effect everywhere by {}.", moment(at, now)),
                None => " is saved.".to_owned(),
            },
            Act::Unchanged => "Nothing to save.".to_owned(),
            Act::Deleted => {
                format!(" is deleted.{} You can restore it until {limit}.", self.refused(now))
            }
            Act::Restored => " is restored.".to_owned(),
            Act::Pasted if self.name.is_empty() => PASTED.to_owned(),
            Act::Pasted => format!("{PASTED} {ADVICE}"),
        }
    }

    /// Returns true if the message begins with the key's name.
    pub fn names_key(&self) -> bool {
        !matches!(self.act, Act::Unchanged | Act::Pasted)
    }

    fn refused(&self, now: Timestamp) -> String {
        self.effective_at.map(|at| format!(" Refused everywhere from {}.", moment(at, now))).unwrap_or_default()
    }
}

/// A moment in the future, never too early, and with its day when that is not today.
fn moment(at: Timestamp, now: Timestamp) -> String {
    let at = at.rounded_up_to_second();
    let (day, today) = (at.day_month_year(), now.day_month_year());
    let of_day = if day == today { String::new() } else { format!(" on {day}") };
    format!("{} UTC{of_day}", at.time_of_day())
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
            // An outage of an hour is forgiven.
            ("2026-11-23T23:30:00Z", "2026-11-24T00:30:00Z", "00:30:00 UTC on 24 Nov 2026"),
            ("2026-11-23T23:59:54Z", "2026-11-23T23:59:59.001Z", "00:00:00 UTC on 24 Nov 2026"),
            ("2026-11-24T00:00:01Z", "2026-11-24T00:00:04Z", "00:00:04 UTC"),
        ] {
            assert_eq!(moment(time(at), time(now)), words, "{at}, said at {now}");
        }
    }

    #[test]
    fn a_message_says_what_was_done_and_from_when_it_holds() {
        let (now, at) = (time("2026-11-23T21:24:53Z"), time("2026-11-23T21:24:58Z"));
        let flash = |act, effective_at, limit| Flash {
            act,
            id: "0123456789abcdef".parse().unwrap(),
            name: "CRM".into(),
            version: 2,
            effective_at,
            limit,
        };
        for (flash, words) in [
            (flash(Act::Deactivated, Some(at), None), " is off. Refused everywhere from 21:24:58 UTC."),
            (flash(Act::Deactivated, None, None), " is off."),
            (flash(Act::Saved, Some(at), None), " is saved. Takes effect everywhere by 21:24:58 UTC."),
            (flash(Act::Saved, None, None), " is saved."),
            (
                flash(Act::Deleted, Some(at), Some(time("2026-12-23T21:24:53Z"))),
                " is deleted. Refused everywhere from 21:24:58 UTC. You can restore it until 23 Dec 2026 UTC.",
            ),
            (flash(Act::ActivatedTooLate, None, Some(at)), " is on, but it expired on 23 Nov 2026 UTC."),
        ] {
            assert_eq!(flash.sentence(now), words);
        }
    }
}
