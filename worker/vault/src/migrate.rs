//! Schema migrations of an object.

use crate::database::{Database, DatabaseError, DatabaseResult};

/// Runs the schema steps that this database lacks, in one transaction.
///
/// A step is a list of statements. New steps are only appended.
///
/// # Errors
///
/// Fails if the schema is newer than this code.
pub fn migrate(database: &impl Database, steps: &[&[&str]]) -> DatabaseResult<()> {
    database.transaction(|| {
        database.run("CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL)", &[])?;
        let version = if let Some(mut row) = database.first("SELECT version FROM schema", &[])? {
            usize::try_from(row.integer()?).unwrap_or(usize::MAX)
        } else {
            database.run("INSERT INTO schema (version) VALUES (0)", &[])?;
            0
        };
        let missing = steps.get(version..).ok_or_else(|| DatabaseError("the schema is newer than this code".into()))?;
        for statement in missing.iter().copied().flatten() {
            database.run(statement, &[])?;
        }
        if !missing.is_empty() {
            let version = i64::try_from(steps.len()).unwrap_or(i64::MAX);
            database.run("UPDATE schema SET version = ?", &[version.into()])?;
        }
        Ok(())
    })
}

/// Returns true if nothing was ever stored here.
pub fn is_new(database: &impl Database) -> DatabaseResult<bool> {
    Ok(database.first("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema'", &[])?.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::memory::MemoryDatabase;

    const ONE: &[&str] = &["CREATE TABLE a (x INTEGER)"];
    const TWO: &[&str] = &["ALTER TABLE a ADD COLUMN y INTEGER", "INSERT INTO a VALUES (1, 2)"];

    #[test]
    fn every_step_runs_once() {
        let database = MemoryDatabase::open();
        assert_eq!(is_new(&database), Ok(true));
        migrate(&database, &[ONE]).unwrap();
        assert_eq!(is_new(&database), Ok(false));
        migrate(&database, &[ONE]).unwrap();
        migrate(&database, &[ONE, TWO]).unwrap();
        migrate(&database, &[ONE, TWO]).unwrap();
        assert_eq!(database.run("SELECT x FROM a", &[]).unwrap().len(), 1);
    }

    #[test]
    fn a_failed_step_is_rolled_back() {
        let database = MemoryDatabase::open();
        let broken: &[&str] = &["CREATE TABLE b (x INTEGER)", "no statement"];
        assert!(migrate(&database, &[ONE, broken]).is_err());
        assert!(database.run("SELECT * FROM a", &[]).is_err());
        migrate(&database, &[ONE, TWO]).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let database = MemoryDatabase::open();
        migrate(&database, &[ONE, TWO]).unwrap();
        assert!(migrate(&database, &[ONE]).is_err());
    }
}
