//! Renders the frame of a page: the console's frame, with the table of contents at the side.

use crate::book::{Book, DocPage};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Renders a page as an HTML document.
pub fn page(book: &Book, page: &DocPage) -> String {
    let is_index = page.name == book.index.name;
    let title = if is_index { "Docs – Ownchat".to_owned() } else { format!("{} – Ownchat docs", page.title) };
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="description" content=(page.summary);
                title { (title) }
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/docs/ownchat.css";
                link rel="alternate" type="text/markdown" href={ "/docs/" (page.name) ".md" };
                script src="/docs/docs.js" defer {}
            }
            body {
                a.skip href="#main" { "To the content" }
                div.frame.docs {
                    (sidebar(book, page))
                    main #main tabindex="-1" {
                        (way(book, page))
                        div.reading {
                            article.prose.contents[is_index] { (PreEscaped(&page.html)) (around(book, page)) }
                            (parts(page))
                        }
                    }
                }
            }
        }
    };
    document.into_string()
}

/// Renders the sidebar: the search field and the list of all pages.
fn sidebar(book: &Book, page: &DocPage) -> Markup {
    html! {
        nav.sidebar aria-label="Documentation" {
            a.brand href="/docs" { "Ownchat docs" }
            // Hidden until the script runs: search needs JavaScript.
            search hidden {
                label.visually-hidden for="search" { "Search the docs" }
                input #search type="search" placeholder="Search the docs" autocomplete="off" aria-controls="found";
                div #found.found role="status" {}
            }
            @for section in &book.sections {
                div {
                    h2 { (section.title) }
                    ul {
                        @for other in &section.pages {
                            li { a href={ "/docs/" (other.name) } aria-current=[(other.name == page.name).then_some("page")] { (other.title) } }
                        }
                    }
                }
            }
            p.who { a href="/settings/developer/api-keys" { "Manage API keys" } }
        }
    }
}

fn way(book: &Book, page: &DocPage) -> Markup {
    html! {
        ol.way aria-label="Breadcrumb" {
            @if let Some(section) = book.section_of(page) {
                li { a href="/docs" { "Docs" } }
                li { (section.title) }
            }
            li aria-current="page" { (page.title) }
        }
    }
}

/// Renders the table of contents of a page, if it has more than one section.
fn parts(page: &DocPage) -> Markup {
    let parts: Vec<_> = page.headings.iter().filter(|heading| heading.level <= 3).collect();
    html! {
        @if parts.len() > 1 {
            nav.parts aria-label="On this page" {
                // The style sheet opens it where it stands at the side.
                details {
                    summary { "On this page" }
                    ul {
                        @for part in parts {
                            li.deeper[part.level == 3] { a href={ "#" (part.id) } { (part.text) } }
                        }
                    }
                }
            }
        }
    }
}

/// Renders the links at the end: previous page, next page, and this page as Markdown.
fn around(book: &Book, page: &DocPage) -> Markup {
    let pages: Vec<&DocPage> = book.pages().collect();
    let place = pages.iter().position(|other| other.name == page.name).unwrap_or_default();
    let before =
        place.checked_sub(1).and_then(|place| pages.get(place)).filter(|before| before.name != book.index.name);
    let after = pages.get(place + 1);
    html! {
        nav.around aria-label="Pages around this one" {
            @if let Some(before) = before {
                a.button rel="prev" href={ "/docs/" (before.name) } { "← " (before.title) }
            }
            @if let Some(after) = after {
                a.button rel="next" href={ "/docs/" (after.name) } { (after.title) " →" }
            }
            a.hint href={ "/docs/" (page.name) ".md" } { "This page as Markdown" }
        }
    }
}
