//! What the checks want to know of a page that rustdoc wrote.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

#[derive(Default)]
pub(crate) struct Page {
    /// What a fragment can name.
    pub(crate) anchors: BTreeSet<String>,
    /// `href` and `src`, as they are written.
    pub(crate) links: BTreeSet<String>,
    /// The methods of the item itself, not of traits that it implements.
    pub(crate) methods: BTreeSet<String>,
    /// The code of all examples.
    pub(crate) examples: String,
}

impl Page {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let mut page = Self::default();
        let (mut in_example, mut in_traits, mut in_blankets) = (false, false, false);
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true); // scripts hold no tags
        for token in Tokenizer::new_with_emitter(&text, emitter) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => {
                    let attribute = |name: &str| {
                        let value = tag.attributes.get(name.as_bytes())?;
                        Some(String::from_utf8_lossy(value).into_owned())
                    };
                    // Blanket implementations bring links of other crates' documentation, as they were written there.
                    if !in_blankets {
                        page.links.extend(attribute("href"));
                        page.links.extend(attribute("src"));
                    }
                    if let Some(id) = attribute("id") {
                        in_traits |= id == "trait-implementations";
                        in_blankets |= id == "blanket-implementations";
                        let method = ["method.", "tymethod."]
                            .iter()
                            .find_map(|kind| id.strip_prefix(kind));
                        if let (Some(method), false) = (method, in_traits) {
                            // Of several with one name, rustdoc numbers the others.
                            let name = method.split('-').next().unwrap_or(method);
                            page.methods.insert(name.to_owned());
                        }
                        page.anchors.insert(id);
                    }
                    in_example |= tag.name == b"pre"
                        && attribute("class")
                            .is_some_and(|class| class.contains("rust-example-rendered"));
                }
                Token::EndTag(tag) if tag.name == b"pre" => in_example = false,
                Token::String(text) if in_example => {
                    page.examples.push_str(&String::from_utf8_lossy(&text));
                }
                _ => {}
            }
        }
        Ok(page)
    }
}
