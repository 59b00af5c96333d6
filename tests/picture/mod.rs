//! What the tests of the examples `timeline` and `trace` share.
#![allow(dead_code)] // Each test uses a part.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs an example that writes a file, and gives what it printed and the text in the file.
pub(crate) fn run(example: &str, extension: &str) -> (String, String) {
    let name = format!("futureproof-{example}-{}.{extension}", std::process::id());
    let file = std::env::temp_dir().join(name);
    let output = Command::new(path(example))
        .arg(&file)
        .env_remove("RUST_LOG")
        .env_remove("FUTUREPROOF_WORKERS")
        .stdin(Stdio::null())
        .output()
        .expect("the example starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    let printed = String::from_utf8(output.stdout).expect("examples write UTF-8");
    assert!(printed.contains(shown(&file)), "{printed}");
    let text = std::fs::read_to_string(&file).expect("the example has written the file");
    std::fs::remove_file(&file).expect("the test's own file can be removed");
    (printed, text)
}

fn shown(file: &Path) -> &str {
    file.to_str()
        .expect("the temporary directory has a plain name")
}

/// Where cargo puts the examples that it builds together with the tests.
fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("test executables are in target/PROFILE/deps");
    let path = profile
        .join("examples")
        .join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --examples`",
        path.display()
    );
    path
}

/// One element of an XML file, without what is in it.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    /// The text right in it, and in the `title` right in it.
    pub(crate) text: String,
    pub(crate) title: String,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        let value = self.attribute(name);
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value:?} is no number: {self:?}"))
    }

    pub(crate) fn is(&self, class: &str) -> bool {
        self.attribute("class").split(' ').any(|one| one == class)
    }
}

/// Gives all elements of an XML file, each after the one it is in.
///
/// # Panics
///
/// If a browser would refuse the file.
pub(crate) fn elements(xml: &str) -> Vec<Element> {
    let allowed = |char: char| !char.is_control() || char == '\n';
    assert!(xml.chars().all(allowed), "control characters are not XML");
    let (mut elements, mut open) = (Vec::<Element>::new(), Vec::<usize>::new());
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            let ended = open.pop().expect("an element ends after it has begun");
            assert_eq!(
                name, elements[ended].name,
                "elements end in the order of their beginnings"
            );
            if name == "title" {
                let title = elements[ended].text.clone();
                elements[*open.last().expect("a title is of something")].title = title;
            }
        } else {
            let (tag, empty) = tag
                .strip_suffix('/')
                .map_or((tag, false), |tag| (tag, true));
            let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
            let mut quoted = rest.split('"');
            let mut attributes = Vec::new();
            while let (Some(key), Some(value)) = (quoted.next(), quoted.next()) {
                let key = key
                    .trim()
                    .strip_suffix('=')
                    .expect("an attribute has a value");
                attributes.push((key.to_owned(), plain(value)));
            }
            if !empty {
                open.push(elements.len());
            }
            let (name, text, title) = (name.to_owned(), String::new(), String::new());
            elements.push(Element {
                name,
                attributes,
                text,
                title,
            });
        }
        match open.last() {
            Some(&open) => elements[open].text += &plain(text),
            None => assert_eq!(text.trim(), "", "text outside of everything"),
        }
    }
    assert!(open.is_empty(), "every element ends");
    elements
}

fn plain(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';').expect("`&` begins an entity");
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => panic!("XML does not know &{entity};"),
        });
        plain += rest;
    }
    plain
}
