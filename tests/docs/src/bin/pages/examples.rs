//! Whether the reader of an item's page sees it used.

use std::path::Path;

use crate::Pages;

/// What only this crate calls, for whoever reads the source of a trait.
const INTERNAL: [&str; 2] = ["into_source", "into_outcome"];

/// Checks the pages of one crate; returns how many items and methods were looked at.
pub(crate) fn check(krate: &Path, pages: &Pages, found: &mut Vec<String>) -> (usize, usize) {
    let (mut items, mut methods) = (0, 0);
    for (path, page) in pages
        .range(krate.to_owned()..)
        .take_while(|(path, _)| path.starts_with(krate))
    {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let Some((kind, name)) = file.trim_end_matches(".html").split_once('.') else {
            continue;
        };
        let is_item = matches!(kind, "attr" | "enum" | "fn" | "macro" | "struct" | "trait");
        // `macro.name!.html` only leads to `macro.name.html`.
        if !is_item || name.ends_with('!') {
            continue;
        }
        items += 1;
        if page.examples.is_empty() {
            found.push(format!("{}: there is no example", path.display()));
            continue;
        }
        for method in page
            .methods
            .iter()
            .filter(|method| !INTERNAL.contains(&method.as_str()))
        {
            methods += 1;
            if !page
                .examples
                .split(|c: char| c != '_' && !c.is_alphanumeric())
                .any(|word| word == method)
            {
                found.push(format!("{}: no example uses {method}", path.display()));
            }
        }
    }
    (items, methods)
}
