//! What the compiler says of the same mistakes, and where: editors show that too.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::questions::{LOOPS, Sheet, TASKS};

/// In a file, what is written instead of what, the text that the mistake is shown at, and what is said of it.
const MISTAKES: [[&str; 5]; 6] = [
    [
        LOOPS,
        "let length = page.length();",
        "let length: bool = page.length();",
        "page.length()",
        "mismatched types",
    ],
    [
        LOOPS,
        "let page = read_page(name)?;",
        "let page = read_page(name, 1)?;",
        "read_page",
        "this function takes 1 argument but 2 arguments were supplied",
    ],
    [
        LOOPS,
        "buffer.push_str(&name);",
        "buffer.push_all(&name);",
        "push_all",
        "no method named `push_all` found",
    ],
    [
        LOOPS,
        "        workers = 4,",
        "        wrokers = 4,",
        "wrokers",
        "unknown option `wrokers`",
    ],
    [
        TASKS,
        "Ok(body.into_bytes())",
        "Ok(5_u8)",
        "5_u8",
        "mismatched types",
    ],
    [
        TASKS,
        "for number in &numbers {",
        "for number in &number {",
        "number",
        "cannot find value `number` in this scope",
    ],
];

/// Compiles a copy of the sample with the mistakes, in a folder of its own.
pub fn mistakes(sample: &Path, folder: &Path, sheet: &mut Sheet) {
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = fs::read_to_string(sample.join("Cargo.toml")).unwrap();
    let root = fs::canonicalize(sample.join("../../..")).unwrap();
    let manifest = manifest.replace("\"../../..\"", &format!("{:?}", root.display().to_string()));
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(sample.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    for file in ["src/lib.rs", LOOPS, TASKS] {
        let mut text = fs::read_to_string(sample.join(file)).unwrap();
        for [_, old, new, ..] in MISTAKES.iter().filter(|mistake| mistake[0] == file) {
            assert_eq!(text.matches(old).count(), 1, "{file}: {old}");
            text = text.replace(old, new);
        }
        fs::write(folder.join(file), text).unwrap();
    }

    let output = Command::new("cargo")
        .args(["check", "--quiet", "--message-format=json"])
        .current_dir(folder)
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: Vec<String> = messages.lines().filter_map(shown).collect();
    for [file, _, new, place, text] in MISTAKES {
        let wanted = format!("{file} «{place}» {text}");
        let question = format!("cargo check, {}", new.trim());
        sheet.offers(&question, &found, &[&wanted]);
    }
    let count = [found.len().to_string()];
    sheet.equal(
        "cargo check, nothing else",
        &count,
        &[&MISTAKES.len().to_string()],
    );
}

/// The file, the text that an error is shown at, and the error.
fn shown(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    let message = message.get("message")?;
    if message["level"] != "error" {
        return None;
    }
    let spans = message["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    let line = &span["text"][0];
    let columns = ["highlight_start", "highlight_end"].map(|end| line[end].as_u64());
    let [Some(start), Some(end)] = columns else {
        return None;
    };
    let place = line["text"]
        .as_str()?
        .get(start as usize - 1..end as usize - 1)?;
    let (file, text) = (span["file_name"].as_str()?, message["message"].as_str()?);
    Some(format!("{file} «{place}» {text}"))
}
