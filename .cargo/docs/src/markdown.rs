//! Renders Markdown to HTML (`CommonMark` with tables), with heading anchors and boxes around code.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::BTreeSet;

/// A heading below the title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// 2 for a section of the page, 3 for a subsection, and so on.
    pub level: u8,
    /// The anchor: the `id` attribute in the HTML.
    pub id: String,
    /// The text, without markup.
    pub text: String,
}

/// A rendered page.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The text of the first heading.
    pub title: String,
    /// The text of the first paragraph.
    pub summary: String,
    /// The source, with links rewritten to the deployment's URLs.
    pub markdown: String,
    /// The headings below the title.
    pub headings: Vec<Heading>,
    /// The HTML, from the title on.
    pub html: String,
    /// Every link target, as in the HTML.
    pub links: Vec<String>,
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES)
}

/// Returns the link lists below the second-level headings of the contents. Each entry holds the
/// title of a section and the files of its pages.
pub fn lists(text: &str) -> Vec<(String, Vec<String>)> {
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_heading = false;
    for event in parser(text) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                is_heading = true;
                lists.push(Default::default());
            }
            Event::End(TagEnd::Heading(_)) => is_heading = false,
            Event::Text(text) if is_heading => {
                if let Some((title, _)) = lists.last_mut() {
                    title.push_str(&text);
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) if dest_url.ends_with(".md") => {
                if let Some((_, paths)) = lists.last_mut() {
                    paths.push(dest_url.to_string());
                }
            }
            _ => {}
        }
    }
    lists
}

/// Renders a page. `target` maps a link of the source to the deployment's URL.
///
/// # Errors
/// Fails without a title, on a link that `target` rejects, on a duplicate anchor, on a skipped
/// heading level, and on raw HTML.
pub fn render(text: &str, target: &dyn Fn(&str) -> Result<String, String>) -> Result<Rendered, String> {
    let mut page = Rendered { markdown: text.to_owned(), ..Rendered::default() };
    let mut events = Vec::new();
    let mut ids = BTreeSet::new();
    // The open heading, with its index in `events`.
    let mut open = None;
    let mut paragraph = None::<String>;
    for event in parser(text) {
        let event = match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let url = target(&dest_url)?;
                if url != *dest_url {
                    page.markdown = page.markdown.replace(&format!("]({dest_url})"), &format!("]({url})"));
                }
                page.links.push(url.clone());
                Event::Start(Tag::Link { link_type, dest_url: url.into(), title, id })
            }
            Event::Html(html) | Event::InlineHtml(html) => return Err(format!("there is HTML in it: {}", html.trim())),
            other => other,
        };
        match &event {
            Event::Start(Tag::Heading { level, id, .. }) => {
                let id = id.as_deref().unwrap_or_default().to_owned();
                open = Some((events.len(), Heading { level: *level as u8, id, text: String::new() }));
            }
            Event::Start(Tag::Paragraph) if page.summary.is_empty() => paragraph = Some(String::new()),
            Event::End(TagEnd::Paragraph) => page.summary = paragraph.take().unwrap_or(page.summary),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, heading)) = &mut open {
                    heading.text.push_str(text);
                }
                if let Some(summary) = &mut paragraph {
                    summary.push_str(text);
                }
            }
            Event::SoftBreak => {
                if let Some(summary) = &mut paragraph {
                    summary.push(' ');
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let Some((place, mut heading)) = open.take() else { continue };
                let above = page.headings.last().map_or(1, |heading| heading.level);
                if heading.level > above + 1 {
                    return Err(format!("the heading \"{}\" skips a level", heading.text));
                }
                if heading.level == 1 && page.title.is_empty() {
                    page.title = heading.text;
                } else {
                    heading.id = unused(heading.id, &heading.text, &mut ids)?;
                    if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(place) {
                        *id = Some(CowStr::from(heading.id.clone()));
                    }
                    let anchor =
                        format!("<a class=\"anchor\" href=\"#{}\" aria-label=\"Link to this part\">#</a>", heading.id);
                    events.push(Event::Text(" ".into()));
                    events.push(Event::InlineHtml(anchor.into()));
                    page.headings.push(heading);
                }
                events.push(Event::End(TagEnd::Heading(*level)));
                continue;
            }
            _ => {}
        }
        frame(event, &mut events);
    }
    if page.title.is_empty() {
        return Err("it begins with no title".to_owned());
    }
    push_html(&mut page.html, events.into_iter());
    Ok(page)
}

/// Returns the anchor of a heading: the given one, or a slug of its text. Fails on a duplicate.
fn unused(given: String, text: &str, ids: &mut BTreeSet<String>) -> Result<String, String> {
    let id = if given.is_empty() { slug(text) } else { given };
    if ids.insert(id.clone()) { Ok(id) } else { Err(format!("there are two headings with the anchor {id}")) }
}

/// Converts a text to lower-case words with hyphens between them.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// Wraps tables and code in boxes that scroll, so that the page itself does not.
fn frame<'a>(event: Event<'a>, events: &mut Vec<Event<'a>>) {
    let open = |label: &str, class: &str| {
        Event::Html(format!("<div class=\"{class}\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">").into())
    };
    match &event {
        Event::Start(Tag::Table(_)) => events.extend([open("Table", "wide"), event]),
        Event::Start(Tag::CodeBlock(kind)) => {
            let language = match kind {
                CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or("text").to_owned(),
                CodeBlockKind::Indented => "text".to_owned(),
            };
            let kind = CodeBlockKind::Fenced(language.clone().into());
            events.extend([open(label_of(&language), "wide code"), Event::Start(Tag::CodeBlock(kind))]);
        }
        Event::Code(text) if text.contains('/') => events.push(Event::InlineHtml(breakable(text).into())),
        Event::End(TagEnd::Table | TagEnd::CodeBlock) => events.extend([event, Event::Html("</div>".into())]),
        _ => events.push(event),
    }
}

/// Renders code that may be broken after each part of a path, as in narrow cells it must be.
fn breakable(code: &str) -> String {
    let escaped = code.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts: Vec<String> = escaped.split("//").map(|part| part.replace('/', "/<wbr>")).collect();
    format!("<code>{}</code>", parts.join("//"))
}

/// Returns the display name of a language.
fn label_of(language: &str) -> &str {
    match language {
        "sh" => "Shell",
        "json" => "JSON",
        "http" => "HTTP",
        "text" => "Text",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> Rendered {
        render(text, &|link| Ok(link.replace(".md", ""))).unwrap()
    }

    #[test]
    fn a_page_has_title_summary_and_anchors() {
        let page = rendered("# A `b`\n\nOne\n*two*.\n\nThree.\n\n## Its part\n\n### X {#X_1}\n");
        assert_eq!((page.title.as_str(), page.summary.as_str()), ("A b", "One two."));
        let ids: Vec<_> = page.headings.iter().map(|heading| (heading.level, heading.id.as_str())).collect();
        assert_eq!(ids, [(2, "its-part"), (3, "X_1")]);
        assert!(page.html.contains("<h3 id=\"X_1\">X <a class=\"anchor\" href=\"#X_1\""), "{}", page.html);
    }

    #[test]
    fn links_lead_to_the_deployment_in_both_forms() {
        let page = rendered("# A\n\n[b](b.md), [c](https://c.example)\n");
        assert!(page.markdown.contains("[b](b), [c](https://c.example)"), "{}", page.markdown);
        assert_eq!(page.links, ["b", "https://c.example"]);
    }

    #[test]
    fn markdown_that_could_break_the_page_is_refused() {
        for (text, why) in [
            ("text", "no title"),
            ("# A\n\n<script>x</script>\n", "HTML"),
            ("# A\n\nb <b>c</b>\n", "HTML"),
            ("# A\n\n## B\n\n## b\n", "two headings"),
            ("# A\n\n### B\n", "skips a level"),
        ] {
            let error = render(text, &|link| Ok(link.to_owned())).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn wide_things_scroll_by_themselves() {
        let html = rendered("# A\n\n```sh no-run\na < b\n```\n\n| a | b |\n| --- | --- |\n| c | d |\n").html;
        assert!(
            html.contains("aria-label=\"Shell\">\n<pre><code class=\"language-sh\">a &lt; b\n</code></pre>\n</div>"),
            "{html}"
        );
        assert!(html.contains("aria-label=\"Table\"><table>"), "{html}");
    }

    #[test]
    fn paths_break_after_their_slashes() {
        let html = rendered("# A\n\n`a://b/<c>/d` and `e`\n").html;
        assert!(html.contains("<code>a://b/<wbr>&lt;c&gt;/<wbr>d</code> and <code>e</code>"), "{html}");
    }

    #[test]
    fn contents_are_lists_of_files_by_section() {
        let lists =
            lists("# Docs\n\n[no](x.html)\n\n## A\n\n- [b](a/b.md): b\n- [c](a/c.md)\n\n## D\n\n- [e](d/e.md)\n");
        assert_eq!(lists[0], ("A".to_owned(), vec!["a/b.md".to_owned(), "a/c.md".to_owned()]));
        assert_eq!(lists[1], ("D".to_owned(), vec!["d/e.md".to_owned()]));
    }
}
