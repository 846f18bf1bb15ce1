//! The SQLite storage of a Durable Object, as a [`Database`].

use crate::database::{Database, DatabaseError, DatabaseResult, SqlRow, SqlValue};
use js_sys::{Function, Reflect};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue, closure::ScopedClosure};
use worker::{SqlStorage, SqlStorageValue, State};

/// Storage of one Durable Object.
pub struct Storage {
    sql: SqlStorage,
    /// `DurableObjectStorage`, for the method that the bindings lack.
    raw: JsValue,
}

/// Largest integer that JavaScript represents exactly.
const SAFE: f64 = 9_007_199_254_740_991.0;

impl Storage {
    /// Returns the storage of the object that `state` belongs to.
    pub fn of(state: &State) -> Self {
        let raw = state.as_raw().storage().map_or(JsValue::UNDEFINED, JsValue::from);
        Self { sql: state.storage().sql(), raw }
    }
}

impl Database for Storage {
    fn run(&self, sql: &str, values: &[SqlValue]) -> DatabaseResult<Vec<SqlRow>> {
        let values = values.iter().map(to_platform).collect::<DatabaseResult<Vec<_>>>()?;
        let cursor = self.sql.exec(sql, values).map_err(|error| DatabaseError(error.to_string()))?;
        cursor
            .raw()
            .map(|row| {
                let row = row.map_err(|error| DatabaseError(error.to_string()))?;
                row.into_iter().map(from_platform).collect::<DatabaseResult<Vec<_>>>().map(SqlRow::new)
            })
            .collect()
    }

    /// Uses `transactionSync`, which rolls back when its callback throws.
    fn transaction<T, E: From<DatabaseError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let lacking = |_| DatabaseError("the storage has no transactionSync".into());
        let transaction: Function =
            Reflect::get(&self.raw, &"transactionSync".into()).and_then(JsCast::dyn_into).map_err(lacking)?;
        let outcome = RefCell::new(None);
        let mut work = Some(work);
        let mut callback = || -> Result<(), JsValue> {
            let Some(work) = work.take() else { return Ok(()) };
            let result = work();
            let failed = result.is_err();
            *outcome.borrow_mut() = Some(result);
            if failed { Err(JsValue::from_str("rolled back")) } else { Ok(()) }
        };
        let callback = ScopedClosure::<dyn FnMut() -> Result<(), JsValue>>::borrow_mut_aborting(&mut callback);
        let thrown = transaction.call1(&self.raw, callback.as_js_value());
        drop(callback);
        match (outcome.into_inner(), thrown) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(_)) => Ok(value),
            (_, Err(error)) => Err(DatabaseError(format!("the transaction failed: {error:?}")).into()),
            (None, Ok(_)) => Err(DatabaseError("the transaction did not run".into()).into()),
        }
    }
}

fn to_platform(value: &SqlValue) -> DatabaseResult<SqlStorageValue> {
    Ok(match value {
        SqlValue::Null => SqlStorageValue::Null,
        SqlValue::Integer(number) => {
            SqlStorageValue::try_from_i64(*number).map_err(|error| DatabaseError(error.to_string()))?
        }
        SqlValue::Text(text) => SqlStorageValue::String(text.clone()),
        SqlValue::Blob(bytes) => SqlStorageValue::Blob(bytes.clone()),
    })
}

fn from_platform(value: SqlStorageValue) -> DatabaseResult<SqlValue> {
    match value {
        SqlStorageValue::Null => Ok(SqlValue::Null),
        SqlStorageValue::Boolean(truth) => Ok(SqlValue::from(truth)),
        SqlStorageValue::Integer(number) => Ok(SqlValue::Integer(number)),
        // The platform returns every number as a float; ours are integers small enough to be exact.
        #[allow(clippy::cast_possible_truncation)]
        SqlStorageValue::Float(number) if number.fract() == 0.0 && number.abs() <= SAFE => {
            Ok(SqlValue::Integer(number as i64))
        }
        SqlStorageValue::Float(number) => Err(DatabaseError(format!("no column stores the float {number}"))),
        SqlStorageValue::String(text) => Ok(SqlValue::Text(text)),
        SqlStorageValue::Blob(bytes) => Ok(SqlValue::Blob(bytes)),
    }
}
