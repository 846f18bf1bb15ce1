//! Text search that ignores case, accents, letter variants and word order.

use crate::token::{KEYS_BEGIN, SECRET_LENGTH, id_in, tail};
use unicode_normalization::UnicodeNormalization;

/// Maximum number of words in a search.
const WORDS_MAX: usize = 16;

/// Normalises a text for search: compatibility decomposition (UAX #15) without accents, with case
/// folded.
///
/// Mapping to upper case and then to lower case folds `ß` to `ss`, and the final `ς` to `σ`.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .collect()
}

/// Splits a search into words in the form of [`fold`]. A text matches if it contains all of them.
///
/// A search that contains a whole key becomes the key's id. A displayed prefix, even one cut with
/// dots, stands for its id.
///
/// # Errors
///
/// Returns a message with the maximum number of words.
pub fn search_words(text: &str) -> Result<Vec<String>, String> {
    if let Some(id) = id_in(text) {
        return Ok(vec![fold(id)]);
    }
    let words: Vec<String> =
        text.split_whitespace().map(|word| fold(id_of_prefix(word))).filter(|word| !word.is_empty()).collect();
    if words.len() > WORDS_MAX {
        return Err(format!("Search for at most {WORDS_MAX} words."));
    }
    Ok(words)
}

/// Returns the id in a displayed prefix, whole or cut, or in a key without its brand. Returns any
/// other word unchanged, without trailing dots.
fn id_of_prefix(word: &str) -> &str {
    let word = word.trim_end_matches('…');
    let word = word.strip_suffix("...").unwrap_or(word);
    let brand = |brand: &&str| word.get(..brand.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(brand));
    let rest = KEYS_BEGIN.iter().find(|begin| brand(begin)).and_then(|brand| word.get(brand.len()..));
    match rest {
        Some(rest) => rest.trim_end_matches('_'),
        None if tail(word).is_some_and(|tail| tail.len() >= SECRET_LENGTH) => word.split('_').next().unwrap_or(word),
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(search: &str, text: &str) -> bool {
        let text = fold(text);
        search_words(search).unwrap().iter().all(|word| text.contains(word))
    }

    #[test]
    fn case_accents_and_order_do_not_matter() {
        for (search, text) in [
            ("MÜLLER", "Müller GmbH"),
            ("muller", "Müller GmbH"),
            ("mu\u{308}ller", "M\u{fc}ller"),
            ("ПРОДАЖИ", "продажи сегодня"),
            ("ΟΔΟΣ", "οδος"),
            ("οδός", "ΟΔΌΣ"),
            ("istanbul", "İstanbul"),
            ("İSTANBUL", "istanbul"),
            ("strasse", "Hauptstraße"),
            ("ünïcödé", "Ünïcödé Ñame"),
            ("090 till", "Till 090"),
            ("ｔｉｌｌ", "Till"),
            ("r68bm6x2wq9ztY7R", "R68Bm6x2Wq9ZtY7R"),
            ("oc_live_R68Bm6x2…", "R68Bm6x2Wq9ZtY7R"),
            ("oc_live_R68Bm6x2Wq9ZtY7R_...", "R68Bm6x2Wq9ZtY7R"),
            ("OC_LIVE_R68BM6X2WQ9ZTY7R", "R68Bm6x2Wq9ZtY7R"),
            ("OC_LIVE_R68BM6X2…", "R68Bm6x2Wq9ZtY7R"),
            ("", "anything"),
        ] {
            assert!(finds(search, text), "{search:?} in {text:?}");
        }
        for (search, text) in [("miller", "Müller"), ("till 091", "Till 090")] {
            assert!(!finds(search, text), "{search:?} in {text:?}");
        }
    }

    #[test]
    fn of_a_key_only_its_id_is_searched() {
        let key = "oc_live_R68Bm6x2Wq9ZtY7R_HIwSabcdefghijklmnopqrstuvwxyz";
        for text in [
            key.to_owned(),
            format!("Bearer {key}"),
            format!("\"{key}\","),
            format!("key: {key} (old)"),
            key.to_uppercase(),
            key.to_lowercase(),
            key["oc_live_".len()..].to_owned(),
        ] {
            assert_eq!(search_words(&text), Ok(vec!["r68bm6x2wq9zty7r".to_owned()]), "{text}");
        }
    }

    #[test]
    fn words_are_bounded() {
        assert_eq!(search_words(&"a ".repeat(16)).map(|words| words.len()), Ok(16));
        assert_eq!(search_words(&"a ".repeat(17)), Err("Search for at most 16 words.".into()));
    }
}
