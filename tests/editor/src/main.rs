//! Opens `sample` in rust-analyzer, asks what somebody at an editor asks, and says which answers are not as they should be:
//! `futureproof-editor RUST-ANALYZER FOLDER [PART]`. The folder is for what is compiled. Answers to questions with the part in
//! them are printed whatever they are.

mod compiler;
mod editor;
mod questions;
mod server;

use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::json;

use editor::Editor;
use questions::Sheet;

const FILES: [&str; 2] = [questions::LOOPS, questions::TASKS];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().expect("the path of a rust-analyzer");
    let folder = arguments.next().expect("a folder for what is compiled");
    let filter = arguments.next().unwrap_or_default();
    // Else it may add the component `rust-src` to the toolchain, and the compiler then says some things in other words.
    std::env::var_os("RUST_SRC_PATH")
        .expect("RUST_SRC_PATH, where the source of the standard library is");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    let open = |proc_macros: bool| {
        let settings = json!({
            "checkOnSave": false,
            "cachePriming": { "enable": false },
            "cargo": { "buildScripts": { "enable": proc_macros } },
            "procMacro": { "enable": proc_macros },
        });
        Editor::open(&program, &sample, settings, &FILES)
    };

    let mut sheet = Sheet::new(filter);
    let mut editor = open(true);
    questions::loops(&mut editor, &mut sheet);
    questions::half_typed(&mut editor, &mut sheet);
    questions::mistakes(&mut editor, &mut sheet);
    questions::tasks(&mut editor, &mut sheet);
    drop(editor);

    // Loops ask nothing of a procedural macro there.
    sheet.begin("without procedural macros");
    let mut editor = open(false);
    questions::loops(&mut editor, &mut sheet);
    questions::half_typed(&mut editor, &mut sheet);
    drop(editor);

    sheet.begin("");
    compiler::mistakes(&sample, Path::new(&folder), &mut sheet);

    sheet.begin("the command line");
    let output = Command::new(&program)
        .args(["diagnostics", "."])
        .current_dir(&sample)
        .output()
        .expect("it has just been run");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let done = output.contains("diagnostic scan complete");
    // Between them it draws its progress.
    let of_sample: Vec<_> = output
        .split(['\n', '\r', '\u{8}'])
        .filter_map(|line| line.find("at crate sample").map(|at| line[at..].to_owned()))
        .collect();
    sheet.equal("rust-analyzer diagnostics", &of_sample, &[]);
    sheet.has("it has come to its end", &format!("{done}"), &["true"]);
    sheet.end()
}
