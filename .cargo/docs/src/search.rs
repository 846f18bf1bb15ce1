//! Builds the search index as JSON, one entry per section of a page. The script of the pages loads
//! it.

use crate::book::Book;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

/// Returns the index: a list of `{url, page, part, text}`, in reading order.
pub fn index(book: &Book) -> String {
    let entries: Vec<Value> = book
        .pages()
        .skip(1)
        .flat_map(|page| {
            let titles = std::iter::once((String::new(), String::new()))
                .chain(page.headings.iter().map(|heading| (format!("#{}", heading.id), heading.text.clone())));
            titles.zip(parts(&page.markdown)).map(|((anchor, part), text)| {
                json!({"url": format!("/docs/{}{anchor}", page.name), "page": page.title, "part": part, "text": text})
            })
        })
        .collect();
    Value::from(entries).to_string()
}

/// Splits a page into its sections and returns their plain text, headings included.
fn parts(markdown: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    // The title belongs to the first section.
    let mut headings = 0;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES) {
        headings += usize::from(matches!(event, Event::Start(Tag::Heading { .. })));
        parts.resize(headings.max(1), String::new());
        let Some(part) = parts.last_mut() else { continue };
        match event {
            Event::Text(text) | Event::Code(text) => {
                part.push_str(text.trim_end());
                part.push(' ');
            }
            Event::End(TagEnd::TableCell) => part.push(' '),
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_page_is_found_by_its_words() {
        let parts = parts("# Verify\n\nAsks `the edge`.\n\n## Costs\n\n| a | b |\n| - | - |\n| c | d |\n");
        assert_eq!(parts.len(), 2);
        assert!(parts[0].contains("Verify Asks the edge"), "{parts:?}");
        assert!(parts[1].starts_with("Costs a  b") && parts[1].contains('d'), "{parts:?}");
    }
}
