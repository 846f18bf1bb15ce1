//! The column in which searches look.

use crate::database::{Database, Stored};
use ownchat_domain::text::fold;

/// Keys that are filled in at a time.
const BATCH: i64 = 500;

/// The content of the column for a key.
pub fn searched(name: &str, description: &str, locator: &str) -> String {
    // No word of a search holds a line break.
    [name, locator, description].map(fold).join("\n")
}

/// Fills the column for keys that were stored before it was there.
pub fn fill(database: &impl Database) -> Stored<()> {
    loop {
        let sql = "SELECT number, name, description, locator FROM keys WHERE searched IS NULL ORDER BY number LIMIT ?";
        let rows = database.run(sql, &[BATCH.into()])?;
        if rows.is_empty() {
            return Ok(());
        }
        for mut row in rows {
            let (number, text) = (row.integer()?, searched(&row.text()?, &row.text()?, &row.text()?));
            database.run("UPDATE keys SET searched = ? WHERE number = ?", &[text.into(), number.into()])?;
        }
    }
}
