//! In-memory SQLite, for host tests.
#![allow(clippy::expect_used, clippy::panic, clippy::needless_pass_by_value, clippy::missing_panics_doc)]

use super::{Database, DatabaseError, DatabaseResult, Row, Value};
use rusqlite::{Connection, params_from_iter, types::Value as Sqlite};

/// A database that lives as long as this value.
pub struct MemoryDatabase(Connection);

impl MemoryDatabase {
    /// Opens an empty database.
    pub fn open() -> Self {
        Self(Connection::open_in_memory().expect("SQLite opens in memory"))
    }

    /// Opens a database and runs these statements in it.
    pub fn filled(sql: &str) -> Self {
        let database = Self::open();
        database.0.execute_batch(sql).expect("the statements are valid");
        database
    }
}

fn error(error: rusqlite::Error) -> DatabaseError {
    DatabaseError(error.to_string())
}

impl Database for MemoryDatabase {
    fn run(&self, sql: &str, values: &[Value]) -> DatabaseResult<Vec<Row>> {
        let mut statement = self.0.prepare(sql).map_err(error)?;
        let columns = statement.column_count();
        let values = values.iter().cloned().map(|value| match value {
            Value::Null => Sqlite::Null,
            Value::Integer(number) => Sqlite::Integer(number),
            Value::Text(text) => Sqlite::Text(text),
            Value::Blob(bytes) => Sqlite::Blob(bytes),
        });
        let mut rows = statement.query(params_from_iter(values)).map_err(error)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(error)? {
            let values = (0..columns).map(|column| match row.get_unwrap(column) {
                Sqlite::Null => Value::Null,
                Sqlite::Integer(number) => Value::Integer(number),
                Sqlite::Real(number) => panic!("no column stores the float {number}"),
                Sqlite::Text(text) => Value::Text(text),
                Sqlite::Blob(bytes) => Value::Blob(bytes),
            });
            found.push(Row::new(values.collect()));
        }
        Ok(found)
    }

    fn transaction<T, E: From<DatabaseError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.run("SAVEPOINT work", &[])?;
        let outcome = work();
        if outcome.is_err() {
            self.run("ROLLBACK TO work", &[])?;
        }
        self.run("RELEASE work", &[])?;
        outcome
    }
}
