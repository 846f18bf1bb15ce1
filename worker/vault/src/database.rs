//! The SQL database of a Durable Object, as the rest of the vault sees it.
//!
//! Two implementations exist: the SQLite of a Durable Object, and an in-memory SQLite for host
//! tests. Both run the same statements.

use core::fmt;
use ownchat_domain::wire::WireError;

/// A bound parameter or a column value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// SQL `NULL`.
    Null,
    /// An integer. JavaScript carries it, so it must lie within ±2^53.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for SqlValue {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for SqlValue {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for SqlValue {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The store failed a statement, or holds data that no statement of ours wrote. Always a defect or
/// an outage, never the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseError(pub String);

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<WireError> for DatabaseError {
    fn from(error: WireError) -> Self {
        Self(format!("stored bytes: {error}"))
    }
}

/// Result of every access to the store.
pub type DatabaseResult<T> = Result<T, DatabaseError>;

/// One result row, read column by column from left to right.
#[derive(Debug)]
pub struct SqlRow(std::vec::IntoIter<SqlValue>);

impl SqlRow {
    /// Wraps the values of a row, in the order of the statement's columns.
    pub fn new(values: Vec<SqlValue>) -> Self {
        Self(values.into_iter())
    }

    fn next(&mut self) -> DatabaseResult<SqlValue> {
        self.0.next().ok_or_else(|| DatabaseError("fewer columns than expected".into()))
    }

    /// Reads the next column as an integer.
    ///
    /// # Errors
    ///
    /// All readers fail on a missing column and on a value of another type.
    pub fn integer(&mut self) -> DatabaseResult<i64> {
        self.optional_integer()?.ok_or_else(|| DatabaseError("expected a number, found NULL".into()))
    }

    /// Reads the next column as an integer or `NULL`.
    pub fn optional_integer(&mut self) -> DatabaseResult<Option<i64>> {
        match self.next()? {
            SqlValue::Integer(number) => Ok(Some(number)),
            SqlValue::Null => Ok(None),
            other => Err(DatabaseError(format!("expected a number, found {}", other.kind()))),
        }
    }

    /// Reads the next column as text.
    pub fn text(&mut self) -> DatabaseResult<String> {
        match self.next()? {
            SqlValue::Text(text) => Ok(text),
            other => Err(DatabaseError(format!("expected text, found {}", other.kind()))),
        }
    }

    /// Reads the next column as text or `NULL`.
    pub fn optional_text(&mut self) -> DatabaseResult<Option<String>> {
        match self.next()? {
            SqlValue::Text(text) => Ok(Some(text)),
            SqlValue::Null => Ok(None),
            other => Err(DatabaseError(format!("expected text, found {}", other.kind()))),
        }
    }

    /// Reads the next column as exactly `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> DatabaseResult<[u8; N]> {
        self.blob()?.try_into().map_err(|_| DatabaseError(format!("expected {N} bytes")))
    }

    /// Reads the next column as bytes.
    pub fn blob(&mut self) -> DatabaseResult<Vec<u8>> {
        self.optional_blob()?.ok_or_else(|| DatabaseError("expected bytes, found NULL".into()))
    }

    /// Reads the next column as bytes or `NULL`.
    pub fn optional_blob(&mut self) -> DatabaseResult<Option<Vec<u8>>> {
        match self.next()? {
            SqlValue::Blob(bytes) => Ok(Some(bytes)),
            SqlValue::Null => Ok(None),
            other => Err(DatabaseError(format!("expected bytes, found {}", other.kind()))),
        }
    }
}

impl SqlValue {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Integer(_) => "a number",
            Self::Text(_) => "a text",
            Self::Blob(_) => "bytes",
        }
    }
}

/// A SQLite database.
pub trait Database {
    /// Runs one statement; `values` bind its `?` parameters in order.
    fn run(&self, sql: &str, values: &[SqlValue]) -> DatabaseResult<Vec<SqlRow>>;

    /// Runs `work` in a transaction, which commits on success and rolls back on error.
    fn transaction<T, E: From<DatabaseError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E>;

    /// Runs a statement and returns its first row.
    fn first(&self, sql: &str, values: &[SqlValue]) -> DatabaseResult<Option<SqlRow>> {
        Ok(self.run(sql, values)?.into_iter().next())
    }
}

#[cfg(test)]
pub mod memory;
