//! Session events in the audit trail: sign-ins, failures, sign-outs, refused cross-site requests.
//!
//! Strangers can cause some of them, so the lines of these are limited per hour. The next line
//! states how many were left out before it.

use super::{
    members,
    rows::time,
    trail::{self, Change, LineActor},
};
use crate::{database::Database, rpc::CommandResult};
use ownchat_domain::{
    audit::{Action, ActorId},
    failure::Failure,
    time::{HOUR, Timestamp},
    vault::registry::RecordSessionEvent,
};
use serde_json::json;

/// Most lines per hour of one action that strangers can cause.
const LINES_MAX: i64 = 20;

/// Logs an event, or counts it if the hour's limit is reached.
pub fn record(database: &impl Database, command: &RecordSessionEvent, now: Timestamp) -> CommandResult<()> {
    if !command.action.is_of_session() {
        return Err(Failure::NotFound.into());
    }
    let member = members::member(database, &command.person.into())?;
    // The actor of a failed sign-in is unknown; the line names the account.
    let failed = command.action == Action::SignInFailed;
    database.transaction(|| {
        let hour = Timestamp::from_millis(now.millis().div_euclid(HOUR) * HOUR);
        let row = database.first(
            "SELECT CASE hour WHEN ?2 THEN listed ELSE 0 END, left_out FROM events WHERE action = ?1",
            &[command.action.as_str().into(), time(hour)],
        )?;
        let (listed, left_out) = match row {
            Some(mut row) => (row.integer()?, row.integer()?),
            None => (0, 0),
        };
        let is_bounded = matches!(command.action, Action::SignInFailed | Action::CrossSiteRefused);
        let is_listed = !is_bounded || listed < LINES_MAX;
        let (listed, left_out_now) = if is_listed { (listed + 1, 0) } else { (listed, left_out + 1) };
        database.run(
            "INSERT INTO events (action, hour, listed, left_out) VALUES (?, ?, ?, ?) ON CONFLICT (action) \
             DO UPDATE SET hour = excluded.hour, listed = excluded.listed, left_out = excluded.left_out",
            &[command.action.as_str().into(), time(hour), listed.into(), left_out_now.into()],
        )?;
        if !is_listed {
            return Ok(());
        }
        let mut after = serde_json::Map::new();
        if failed {
            after.insert("account".into(), json!(command.person));
        }
        if left_out > 0 {
            after.insert("left_out_before".into(), json!(left_out));
        }
        let after = if after.is_empty() { None } else { Some(trail::to_raw_json(&after)?) };
        let source = LineActor {
            actor: (!failed).then_some(ActorId::Person(command.person)),
            name: if failed { "" } else { &member.name },
            address: &command.address,
            request_id: &command.request_id,
        };
        let change = Change { action: command.action, key: None, reason: None, before: None, after };
        trail::append_from(database, &source, change, now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        database::memory::MemoryDatabase,
        registry::testing::{NOW, OWNER, STRANGER, workspace},
    };
    use ownchat_domain::audit::verify;

    fn event(database: &MemoryDatabase, action: Action, now: Timestamp) {
        let command =
            RecordSessionEvent { person: OWNER, action, address: "192.0.2.1".into(), request_id: "r1".into() };
        record(database, &command, now).unwrap();
    }

    fn lines(database: &MemoryDatabase) -> Vec<String> {
        let filter = trail::LineFilter { limit: 1_000, ..trail::LineFilter::default() };
        trail::lines(database, &filter).unwrap().into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn strangers_cannot_flood_the_trail() {
        let database = workspace();
        for _ in 0..500 {
            event(&database, Action::SignInFailed, NOW);
        }
        event(&database, Action::SignIn, NOW);
        assert_eq!(lines(&database).len(), 21);
        event(&database, Action::SignInFailed, NOW.plus(HOUR));
        event(&database, Action::SignInFailed, NOW.plus(HOUR));
        let lines = lines(&database);
        assert_eq!(lines.len(), 23);
        assert!(lines[0].contains("\"actor\":null") && lines[0].contains("\"address\":\"192.0.2.1\""), "{}", lines[0]);
        assert!(lines[0].contains("\"after\":{\"account\":\"0000000000000001\"}"), "{}", lines[0]);
        assert!(lines[20].contains("\"actor\":\"0000000000000001\""), "{}", lines[20]);
        assert!(lines[21].contains("\"left_out_before\":480"), "{}", lines[21]);
        assert!(!lines[22].contains("left_out_before"), "{}", lines[22]);
        assert!(verify(lines.iter().map(String::as_str)).is_ok());
    }

    #[test]
    fn only_session_events_of_members_are_logged() {
        let database = workspace();
        let command =
            |person, action| RecordSessionEvent { person, action, address: String::new(), request_id: String::new() };
        for wrong in [command(STRANGER, Action::SignIn), command(OWNER, Action::Delete)] {
            assert_eq!(record(&database, &wrong, NOW), Err(Failure::NotFound.into()));
        }
        assert_eq!(lines(&database).len(), 0);
    }
}
