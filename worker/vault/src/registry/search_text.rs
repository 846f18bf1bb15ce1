//! The search column of the key table: folded text, and the conditions that match words in it.

use crate::database::{Database, DatabaseResult};
use ownchat_domain::text::fold;

/// Most keys that are backfilled in one batch.
const BATCH: i64 = 500;

/// Fewest characters of a word that is searched in ids too. Shorter words occur in many ids by
/// chance.
const ID_WORD_MIN: usize = 4;

/// Returns the folded text of a key: the id on the first line, then name and description.
pub fn search_text(name: &str, description: &str, locator: &str) -> String {
    // No search word contains a line break.
    [locator, name, description].map(fold).join("\n")
}

/// Returns the SQL condition that the column contains a word, its one parameter.
pub fn has_word(word: &str) -> &'static str {
    if word.chars().count() < ID_WORD_MIN {
        "instr(substr(searched, instr(searched, char(10)) + 1), ?) > 0"
    } else {
        "instr(searched, ?) > 0"
    }
}

/// Fills the column for keys from before it existed.
pub fn backfill(database: &impl Database) -> DatabaseResult<()> {
    loop {
        let sql = "SELECT number, name, description, locator FROM keys WHERE searched IS NULL ORDER BY number LIMIT ?";
        let rows = database.run(sql, &[BATCH.into()])?;
        if rows.is_empty() {
            return Ok(());
        }
        for mut row in rows {
            let (number, text) = (row.integer()?, search_text(&row.text()?, &row.text()?, &row.text()?));
            database.run("UPDATE keys SET searched = ? WHERE number = ?", &[text.into(), number.into()])?;
        }
    }
}
