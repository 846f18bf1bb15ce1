//! The column in which searches look.

use crate::database::{Database, DatabaseResult};
use ownchat_domain::text::fold;

/// Keys that are filled in at a time.
const BATCH: i64 = 500;

/// Fewest characters of a word that is looked for in ids, too: shorter ones stand in many by
/// chance.
const ID_WORD_MIN: usize = 4;

/// The content of the column for a key: the id first, in a line of its own.
pub fn search_text(name: &str, description: &str, locator: &str) -> String {
    // No word of a search holds a line break.
    [locator, name, description].map(fold).join("\n")
}

/// The condition that the column holds a word, which stands for the question mark.
pub fn has_word(word: &str) -> &'static str {
    if word.chars().count() < ID_WORD_MIN {
        "instr(substr(searched, instr(searched, char(10)) + 1), ?) > 0"
    } else {
        "instr(searched, ?) > 0"
    }
}

/// Fills the column for keys that were stored before it was there.
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
