//! The alarms that Durable Objects have set, as the runtime has stored them. It goes by the real clock, and by nothing else:
//! when the clock of the simulation is put forward they must come that much sooner.

use rusqlite::Connection;
use std::{fs, path::Path, time::Duration};

/// The list of all alarms of a class, from which a process that starts learns of them.
const LIST: (&str, &str) = ("_cf_ALARM", "UPDATE _cf_ALARM SET scheduled_time = scheduled_time - ?");
/// What an object knows of itself; an alarm of the list that is another than its own does not go off.
const OWN: (&str, &str) = ("_cf_METADATA", "UPDATE _cf_METADATA SET value = value - ? WHERE key = 1");

/// Lets every alarm go off sooner by a real time. No process may run that has this folder.
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
