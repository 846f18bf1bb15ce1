//! `effective_at`: the time from which a change holds everywhere.
//!
//! An edge that reads the feed applies a change within [`FRESH_FOR`]. An edge that reaches neither
//! feed nor registry serves from its cache during the workspace's outage grace period. That period
//! starts at its last read of the feed. An edge that has not seen a shortened grace period still
//! uses the former one.

use crate::database::{Database, DatabaseError, DatabaseResult};
use ownchat_domain::{
    feed::FRESH_FOR,
    time::{SECOND, Timestamp},
};

/// Returns the time from which everything published by `now` holds everywhere.
pub fn effective_at(database: &impl Database, now: Timestamp) -> DatabaseResult<Timestamp> {
    let sql = "SELECT max(outage_seconds, patient_seconds), patient_until FROM workspace";
    let mut row = database.first(sql, &[])?.ok_or_else(|| DatabaseError("no workspace".into()))?;
    let grace_period = row.integer()?.saturating_mul(SECOND);
    Ok(now.plus(grace_period.max(FRESH_FOR)).max(Timestamp::from_millis(row.integer()?)))
}

/// Records the former outage grace period, within the transaction that shortens it.
pub fn grace_period_shortened(database: &impl Database, before: u32) -> DatabaseResult<()> {
    database.run("UPDATE workspace SET patient_seconds = max(patient_seconds, ?)", &[before.into()])?;
    Ok(())
}

/// Records that all changes of the settings were published by `now`. Every later reader of the feed
/// uses the current grace period.
pub fn settings_published(database: &impl Database, now: Timestamp) -> DatabaseResult<()> {
    database.run(
        "UPDATE workspace SET patient_until = max(patient_until, ? + patient_seconds * 1000), patient_seconds = 0 \
         WHERE patient_seconds > 0",
        &[now.millis().into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{
        settings,
        testing::{NOW, OWNER, origin, publish_all, workspace},
    };
    use ownchat_domain::vault::registry::ChangeSettings;

    fn set_grace_period(database: &impl Database, seconds: u32, now: Timestamp) {
        let version = crate::registry::rows::workspace(database).unwrap().version;
        let command = ChangeSettings {
            origin: origin(OWNER),
            version,
            suspended: None,
            outage_seconds: Some(seconds),
            reason: None,
        };
        settings::change(database, &command, now).unwrap();
    }

    #[test]
    fn it_is_five_seconds_or_the_outage_grace_period() {
        let database = workspace();
        assert_eq!(effective_at(&database, NOW), Ok(NOW.plus(5_000)));
        for (seconds, millis) in [(3, 5_000), (600, 600_000), (3_600, 3_600_000)] {
            set_grace_period(&database, seconds, NOW);
            publish_all(&database, NOW);
            assert_eq!(effective_at(&database, NOW.plus(7)), Ok(NOW.plus(7 + millis)), "{seconds} s");
        }
    }

    #[test]
    fn a_shortened_grace_period_counts_from_its_publication() {
        let database = workspace();
        set_grace_period(&database, 600, NOW);
        publish_all(&database, NOW);
        set_grace_period(&database, 60, NOW.plus(SECOND));
        // The feed cannot be reached for a while.
        assert_eq!(effective_at(&database, NOW.plus(2 * SECOND)), Ok(NOW.plus(602 * SECOND)));
        set_grace_period(&database, 0, NOW.plus(3 * SECOND));
        publish_all(&database, NOW.plus(100 * SECOND));
        let last = NOW.plus(700 * SECOND);
        for later in [100, 300, 694] {
            assert_eq!(effective_at(&database, NOW.plus(later * SECOND)), Ok(last), "{later} s later");
        }
        assert_eq!(effective_at(&database, last), Ok(last.plus(5_000)));
        // Other changes do not postpone it.
        set_grace_period(&database, 0, last);
        publish_all(&database, last);
        assert_eq!(effective_at(&database, last), Ok(last.plus(5_000)));
    }
}
