//! Loads the documentation as a book: sections and pages in the order of `contents.md`. Checks
//! every link.

use crate::{
    error::BookError,
    markdown::{self, Heading, Rendered},
    tables,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

/// The file that lists the pages. It becomes the index page, `/docs`.
const CONTENTS: &str = "contents.md";

/// The whole documentation, read and rendered.
#[derive(Debug)]
pub struct Book {
    /// The index page, `/docs`.
    pub index: DocPage,
    /// The sections in reading order.
    pub sections: Vec<Section>,
}

/// Pages for one kind of reader.
#[derive(Debug)]
pub struct Section {
    /// The title, such as "Integrate".
    pub title: String,
    /// The pages in reading order.
    pub pages: Vec<DocPage>,
}

/// A rendered page of the documentation.
#[derive(Debug)]
pub struct DocPage {
    /// The last segment of its URL: `/docs/NAME`.
    pub name: String,
    /// The text of the first heading.
    pub title: String,
    /// The first paragraph, as plain text.
    pub summary: String,
    /// The Markdown source, with tables expanded and links rewritten to the deployment's URLs.
    pub markdown: String,
    /// The headings below the title.
    pub headings: Vec<Heading>,
    /// The body as HTML.
    pub html: String,
}

impl Book {
    /// Reads and renders the book from the folder that holds `contents.md`.
    ///
    /// # Errors
    /// Fails at the first unreadable page, unknown table, broken link or source that the contents
    /// do not list.
    pub fn read(folder: &Path) -> Result<Self, BookError> {
        let source = |path: &str| {
            let text = fs::read_to_string(folder.join(path)).map_err(|error| BookError::new(path, error))?;
            Ok((path.to_owned(), tables::fill(folder, path, &text)?))
        };
        let contents = source(CONTENTS)?;
        let listed = markdown::lists(&contents.1);
        let mut sources = vec![contents];
        for (_, paths) in &listed {
            for path in paths {
                sources.push(source(path)?);
            }
        }
        let names = names(&sources)?;
        let mut pages = BTreeMap::new();
        for (path, text) in &sources {
            let rendered =
                markdown::render(text, &|link| target(path, link, &names)).map_err(|why| BookError::new(path, why))?;
            pages.insert(path.clone(), rendered);
        }
        check_anchors(&pages, &names)?;
        check_files(folder, &names)?;
        let mut page = |path: &str| {
            let Some(Rendered { title, summary, markdown, headings, html, .. }) = pages.remove(path) else {
                return Err(BookError::new(path, "the page is listed twice"));
            };
            let name = names.get(path).cloned().unwrap_or_default();
            Ok(DocPage { name, title, summary, markdown, headings, html })
        };
        let index = page(CONTENTS)?;
        let sections = listed
            .into_iter()
            .map(|(title, paths)| {
                let pages = paths.iter().map(|path| page(path)).collect::<Result<_, _>>()?;
                Ok(Section { title, pages })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { index, sections })
    }

    /// Iterates over all pages, the index first.
    pub fn pages(&self) -> impl Iterator<Item = &DocPage> {
        std::iter::once(&self.index).chain(self.sections.iter().flat_map(|section| &section.pages))
    }

    /// Returns the section of a page, or `None` for the index.
    pub fn section_of(&self, page: &DocPage) -> Option<&Section> {
        self.sections.iter().find(|section| section.pages.iter().any(|other| other.name == page.name))
    }

    /// Returns `llms.txt`, the list of pages for language models (llmstxt.org).
    pub fn overview(&self) -> String {
        let mut text = format!("# {}\n\n> {}\n", self.index.title, self.index.summary);
        for section in &self.sections {
            let _ = write!(text, "\n## {}\n\n", section.title);
            for page in &section.pages {
                let _ = writeln!(text, "- [{}](/docs/{}.md): {}", page.title, page.name, page.summary);
            }
        }
        text
    }
}

/// Maps source paths to page names. Fails if two pages share a name.
fn names(sources: &[(String, String)]) -> Result<BTreeMap<String, String>, BookError> {
    let mut seen = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (path, _) in sources {
        let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = if path == CONTENTS { "index" } else { stem };
        if !seen.insert(name.to_owned()) {
            return Err(BookError::new(path, format!("there is another page /docs/{name}")));
        }
        names.insert(path.clone(), name.to_owned());
    }
    Ok(names)
}

/// Resolves a link in the source `path` to a URL. Pages are linked by their files; `https://` links
/// and anchors within the page stay unchanged.
fn target(path: &str, link: &str, names: &BTreeMap<String, String>) -> Result<String, String> {
    if link.starts_with("https://") || link.starts_with('#') {
        return Ok(link.to_owned());
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let name = names.get(&parts.join("/")).ok_or_else(|| format!("the link {link} leads to no page"))?;
    let page = if name == "index" { "/docs".to_owned() } else { format!("/docs/{name}") };
    Ok(anchor.map_or(page.clone(), |anchor| format!("{page}#{anchor}")))
}

/// Fails on a link whose anchor is no heading of its page.
fn check_anchors(pages: &BTreeMap<String, Rendered>, names: &BTreeMap<String, String>) -> Result<(), BookError> {
    let anchors: BTreeMap<String, BTreeSet<&str>> = pages
        .iter()
        .filter_map(|(path, page)| {
            let name = names.get(path)?;
            let url = if name == "index" { "/docs".to_owned() } else { format!("/docs/{name}") };
            Some((url, page.headings.iter().map(|heading| heading.id.as_str()).collect()))
        })
        .collect();
    for (path, page) in pages {
        let here = names.get(path).map(|name| format!("/docs/{name}")).unwrap_or_default();
        for link in &page.links {
            let Some((url, anchor)) = link.split_once('#').filter(|_| !link.starts_with("https://")) else { continue };
            let url = if url.is_empty() { here.as_str() } else { url };
            if !anchors.get(url).is_some_and(|anchors| anchors.contains(anchor)) {
                return Err(BookError::new(path, format!("the link {link} leads to no heading")));
            }
        }
    }
    Ok(())
}

/// Fails on a Markdown source that the contents do not list.
fn check_files(folder: &Path, names: &BTreeMap<String, String>) -> Result<(), BookError> {
    let mut left = vec![folder.to_owned()];
    while let Some(place) = left.pop() {
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            let relative = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            if path.extension().is_some_and(|end| end == "md") && !names.contains_key(&relative) {
                return Err(BookError::new(relative, "contents.md does not list it"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(name: &str, files: &[(&str, &str)]) -> Result<Book, String> {
        let folder = std::env::temp_dir().join(format!("ownchat-docs-{}-{name}", std::process::id()));
        for (path, text) in files {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let book = Book::read(&folder).map_err(|error| error.to_string());
        fs::remove_dir_all(folder).unwrap();
        book
    }

    const CONTENTS_OF_TWO: &str =
        "# Docs\n\nAll of it.\n\n## Start\n\n- [A](start/a.md)\n\n## Use\n\n- [B](use/b.md)\n";

    #[test]
    fn pages_are_linked_by_their_files_and_served_by_their_names() {
        let book = book(
            "good",
            &[
                ("contents.md", CONTENTS_OF_TWO),
                ("start/a.md", "# A\n\nFirst. See [b](../use/b.md#more).\n"),
                ("use/b.md", "# B\n\nSecond. See [a](../start/a.md) and [all](../contents.md).\n\n## More\n"),
            ],
        )
        .unwrap();
        let html: Vec<_> = book.pages().map(|page| page.html.as_str()).collect();
        assert!(html[1].contains("href=\"/docs/b#more\""), "{}", html[1]);
        assert!(html[2].contains("href=\"/docs/a\"") && html[2].contains("href=\"/docs\""), "{}", html[2]);
        assert!(book.sections[1].pages[0].markdown.contains("[a](/docs/a)"));
        assert!(book.overview().contains("\n## Use\n\n- [B](/docs/b.md): Second. See a and all.\n"));
    }

    #[test]
    fn a_broken_book_is_not_rendered() {
        let a =
            |text: &'static str| [("contents.md", CONTENTS_OF_TWO), ("start/a.md", text), ("use/b.md", "# B\n\nB.\n")];
        for (name, files, why) in [
            ("missing", vec![("contents.md", CONTENTS_OF_TWO)], "start/a.md: "),
            ("link", a("# A\n\nA [b](b.md).\n").to_vec(), "start/a.md: the link b.md leads to no page"),
            ("anchor", a("# A\n\nA [b](../use/b.md#x).\n").to_vec(), "leads to no heading"),
            ("here", a("# A\n\nA [b](#x).\n").to_vec(), "leads to no heading"),
            ("table", a("# A\n\nA\n\n{{nothing}}\n").to_vec(), "there is no table \"nothing\""),
            ("title", a("A\n").to_vec(), "begins with no title"),
            ("unlisted", [&a("# A\n\nA.\n")[..], &[("use/c.md", "# C\n")]].concat(), "contents.md does not list it"),
        ] {
            let error = book(name, &files).unwrap_err();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
