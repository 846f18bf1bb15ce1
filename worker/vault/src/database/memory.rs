//! In-memory SQLite, for host tests.
#![allow(clippy::expect_used, clippy::panic, clippy::needless_pass_by_value, clippy::missing_panics_doc)]

use super::{Database, DatabaseError, DatabaseResult, SqlRow, SqlValue};
use rusqlite::{Connection, params_from_iter, types::Value as Sqlite};
use std::cell::Cell;

/// A database that lives as long as this value.
pub struct MemoryDatabase {
    connection: Connection,
    statements: Cell<usize>,
}

impl MemoryDatabase {
    /// Opens an empty database.
    pub fn open() -> Self {
        let connection = Connection::open_in_memory().expect("SQLite opens in memory");
        Self { connection, statements: Cell::new(0) }
    }

    /// Opens a database and runs these statements in it.
    pub fn filled(sql: &str) -> Self {
        let database = Self::open();
        database.connection.execute_batch(sql).expect("the statements are valid");
        database
    }

    /// Statements that have run, those that begin and end transactions included.
    pub fn statements(&self) -> usize {
        self.statements.get()
    }
}

fn error(error: rusqlite::Error) -> DatabaseError {
    DatabaseError(error.to_string())
}

impl Database for MemoryDatabase {
    fn run(&self, sql: &str, values: &[SqlValue]) -> DatabaseResult<Vec<SqlRow>> {
        self.statements.update(|count| count + 1);
        let mut statement = self.connection.prepare(sql).map_err(error)?;
        let columns = statement.column_count();
        let values = values.iter().cloned().map(|value| match value {
            SqlValue::Null => Sqlite::Null,
            SqlValue::Integer(number) => Sqlite::Integer(number),
            SqlValue::Text(text) => Sqlite::Text(text),
            SqlValue::Blob(bytes) => Sqlite::Blob(bytes),
        });
        let mut rows = statement.query(params_from_iter(values)).map_err(error)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(error)? {
            let values = (0..columns).map(|column| match row.get_unwrap(column) {
                Sqlite::Null => SqlValue::Null,
                Sqlite::Integer(number) => SqlValue::Integer(number),
                Sqlite::Real(number) => panic!("no column stores the float {number}"),
                Sqlite::Text(text) => SqlValue::Text(text),
                Sqlite::Blob(bytes) => SqlValue::Blob(bytes),
            });
            found.push(SqlRow::new(values.collect()));
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
