//! The Markdown files, as a reader of the repository follows them.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::{Pages, links};

/// Checks the links of one file and returns how many there are.
///
/// Links of the pages in `src` to items (`crate::…`) are rustdoc's to check, and on the built pages.
pub(crate) fn check(
    doc: &Path,
    pages: &Pages,
    path: &Path,
    found: &mut Vec<String>,
) -> io::Result<usize> {
    let text = std::fs::read_to_string(path)?;
    let (targets, _) = outline(&text);
    for target in &targets {
        let is_item = target.split('#').next() == Some("crate")
            || target.contains("::")
            || target.starts_with("macro@");
        let outcome = if is_item || target.ends_with('!') {
            Ok(())
        } else if links::is_elsewhere(target) {
            links::check(doc, pages, path, target)
        } else {
            file_exists(path, target)
        };
        outcome.unwrap_or_else(|fault| {
            found.push(format!("{}: {target:?}: {fault}", path.display()));
        });
    }
    Ok(targets.len())
}

fn file_exists(from: &Path, link: &str) -> Result<(), String> {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let path = if target.is_empty() {
        from.to_owned()
    } else {
        links::normalized(&from.parent().unwrap_or(from).join(target))
    };
    if !path.exists() {
        return Err("there is no such file".into());
    }
    if fragment.is_empty() || path.extension().is_none_or(|it| it != "md") {
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if outline(&text).1.contains(fragment) {
        Ok(())
    } else {
        Err("there is no such heading".into())
    }
}

/// The targets of all links and pictures, and the names of all headings.
fn outline(text: &str) -> (Vec<String>, BTreeSet<String>) {
    let (mut targets, mut headings) = (Vec::new(), BTreeSet::new());
    let mut heading = None;
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                targets.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => headings.extend(heading.take().as_deref().map(slug)),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    (targets, headings)
}

/// The name that GitHub and rustdoc alike give to a heading.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
            _ => None,
        })
        .collect()
}
