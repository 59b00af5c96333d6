//! The page of rules names the tests that prove each rule: they exist, and each rule has some.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join("src/guide/rules.md")).unwrap()
}

/// The rules, in the order of the page: heading and text.
fn rules(page: &str) -> Vec<(&str, &str)> {
    page.split("\n## ")
        .skip(1)
        .map(|rule| {
            let (heading, text) = rule.split_once('\n').unwrap();
            // A chapter's heading belongs to what follows.
            (heading, text.split("\n# ").next().unwrap())
        })
        .collect()
}

/// What stands between backquotes and looks like `file.rs::name`.
fn references(text: &str) -> Vec<(&str, &str)> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once(".rs::"))
        .collect()
}

/// The names of the functions with a `#[test]`, or a runtime's own such as `#[tokio::test]`, in a file. Tests that a macro
/// writes are not seen: a rule names the function that runs them.
fn tests_of(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[") {
            let path = attribute.split(['(', ']']).next().unwrap();
            is_test |= path == "test" || path.ends_with("::test");
        } else if let Some(function) = line
            .strip_prefix("async fn ")
            .or_else(|| line.strip_prefix("fn "))
        {
            if is_test {
                names.insert(function.split(['(', '<']).next().unwrap());
            }
            is_test = false;
        }
    }
    names
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = page();
    let named = references(&page);
    assert!(named.len() > 90, "only {} tests are named", named.len());
    let mut sources = BTreeMap::new();
    let missing: Vec<String> = named
        .into_iter()
        .filter(|(file, name)| {
            let source: &String = sources.entry(*file).or_insert_with(|| {
                fs::read_to_string(root().join(format!("{file}.rs"))).unwrap_or_default()
            });
            !tests_of(source).contains(name)
        })
        .map(|(file, name)| format!("{file}.rs::{name}"))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_rule_has_its_number_a_text_and_two_tests_or_more() {
    let page = page();
    let mut last = BTreeMap::new();
    for (heading, text) in rules(&page) {
        let (number, title) = heading.split_once(". ").expect(heading);
        let (letter, number) = number.split_at(1);
        let next = last.entry(letter).or_insert(0);
        *next += 1;
        assert_eq!(number, next.to_string(), "the number of {heading:?}");
        assert!(!title.is_empty(), "{heading:?}");
        let statement = text.split("\n- ").next().unwrap().trim();
        assert!(statement.len() > 80, "{heading:?} says {statement:?}");
        let tests: BTreeSet<_> = references(text).into_iter().collect();
        assert!(
            tests.len() >= 2 && tests.len() == references(text).len(),
            "{heading:?} names {tests:?}"
        );
    }
    assert_eq!(last.keys().copied().collect::<String>(), "LPT");
}

#[test]
fn a_function_is_a_test_by_its_attribute_only() {
    let source = "#[test]\n#[ignore]\nfn one() {}\nfn two() {}\n#[tokio::test(flavor = \"x\")]\nasync fn three() {}\n#[inline]\nfn four() {}";
    assert_eq!(tests_of(source), BTreeSet::from(["one", "three"]));
}
