//! Alarms of Durable Objects in the SQLite files of the runtime. The runtime schedules them by the
//! real clock, so a clock skip must bring them forward.

use rusqlite::Connection;
use std::{fs, path::Path, time::Duration};

/// Table and update of all alarms of a class, which a process loads at its start.
const LIST: (&str, &str) = ("_cf_ALARM", "UPDATE _cf_ALARM SET scheduled_time = scheduled_time - ?");
/// Table and update of an object's own metadata. An alarm that differs from it does not fire.
const OWN: (&str, &str) = ("_cf_METADATA", "UPDATE _cf_METADATA SET value = value - ? WHERE key = 1");

/// Brings every alarm forward by a real duration. No process may use this folder meanwhile.
pub(crate) fn bring_forward(objects: &Path, by: Duration) {
    let nanos = i64::try_from(by.as_nanos()).unwrap();
    for class in fs::read_dir(objects).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(class.path()).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "sqlite") {
                continue;
            }
            let database = Connection::open(&file).unwrap();
            let (table, update) = if file.ends_with("metadata.sqlite") { LIST } else { OWN };
            if database.table_exists(None, table).unwrap() {
                database.execute(update, [nanos]).unwrap();
            }
        }
    }
}
