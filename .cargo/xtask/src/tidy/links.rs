//! Links between the Markdown files of the tree lead to a file, and to a heading of it.
//!
//! The user documentation is left out: its renderer checks it.

use crate::paths::root;
use std::{fs, path::Path};

/// Returns true for a Markdown file outside the user documentation.
pub fn covers(path: &str) -> bool {
    !path.starts_with("app/docs/") && path.rsplit_once('.').is_some_and(|(_, end)| end == "md")
}

/// The faults of the links in one file, by its path from the root.
pub fn faults(path: &str, text: &str) -> Vec<String> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    links(text)
        .filter_map(|(line, link)| Some(format!("{path}:{line}: the link {link} {}", fault(folder, text, link)?)))
        .collect()
}

/// The links of a text with their lines, without those to other hosts.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.flat_map(|(number, line)| {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.filter(|link| !link.starts_with("https://")).map(move |link| (number + 1, link))
    })
}

/// The fault of a link in a file of `folder` with the content `text`.
fn fault(folder: &Path, text: &str, link: &str) -> Option<&'static str> {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let path = root().join(folder).join(file);
    if !file.is_empty() && !path.exists() {
        return Some("leads to no file");
    }
    let anchor = anchor?;
    let target = if file.is_empty() { text.to_owned() } else { fs::read_to_string(&path).unwrap_or_default() };
    let mut headings = target.lines().filter(|line| line.starts_with('#'));
    let has = headings.any(|heading| anchor_of(heading) == anchor || heading.ends_with(&format!("{{#{anchor}}}")));
    (!has).then_some("leads to no heading")
}

/// The anchor that a heading gets: lower-case words with hyphens between them.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_file_and_a_heading() {
        for (link, is_good) in [
            ("README.md", true),
            ("README.md#the-map", true),
            ("README.md#no-such-part", false),
            ("no-such-file.md", false),
            ("#here-it-is", true),
            ("#there", false),
            ("https://example.com/nowhere", true),
        ] {
            let text = format!("# A\n\n## Here: it is\n\nSee [this]({link}).\n\n```text\n[no]({link}x)\n```\n");
            assert_eq!(faults("a.md", &text).is_empty(), is_good, "{link}");
        }
    }

    #[test]
    fn links_are_relative_to_their_file() {
        let found = faults(".github/a.md", "[a](../README.md) and [b](README.md)\n");
        assert_eq!(found, [".github/a.md:1: the link README.md leads to no file"]);
    }
}
