//! The programs in other languages on the pages of `coming_from` do what the pages say.
//!
//! Python, Go and a C compiler with OpenMP are no requirement of the crate: a test whose tool is missing says `skipped:`
//! and why, and passes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/coming_from");

/// Packages that a Go program on the pages may import from elsewhere: the module, where the package is in it, and what stands
/// in for it, so that the program compiles and runs without a network.
const GO_STAND_INS: [(&str, &str, &str); 2] = [
    (
        "golang.org/x/sync",
        "errgroup",
        include_str!("stand_ins/errgroup.go"),
    ),
    (
        "github.com/sourcegraph/conc",
        "pool",
        include_str!("stand_ins/pool.go"),
    ),
];

/// What stands between two fences of a page.
#[derive(Debug)]
struct Block {
    page: String,
    line: usize,
    language: String,
    text: String,
}

impl Block {
    /// The page and the line, for messages.
    fn place(&self) -> String {
        format!("src/coming_from/{}, line {}", self.page, self.line)
    }

    /// What the comment `prints: …` in the program says.
    fn prints(&self) -> &str {
        let said: Vec<_> = (self.text.lines())
            .filter_map(|line| Some(line.split_once("prints: ")?.1))
            .collect();
        assert_eq!(said.len(), 1, "{}: `prints: …`, once", self.place());
        said[0]
    }

    /// Panics unless the program has ended well and printed what the page says.
    fn expect(&self, output: &Output) {
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{}: {stderr}", self.place());
        assert_eq!(stdout.trim_end(), self.prints(), "{}", self.place());
    }
}

/// Says so past the test runner, which keeps what tests that pass have printed.
fn skipped(what: &str) {
    _ = writeln!(io::stdout(), "\nskipped: {what}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All blocks of all pages.
fn blocks() -> Vec<Block> {
    let mut pages: Vec<_> = (fs::read_dir(PAGES).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    let mut blocks = Vec::new();
    for path in pages {
        let page = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut open: Option<Block> = None;
        for (line, content) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
            match (content.strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    open = Some(Block {
                        page: page.clone(),
                        line,
                        language: language.into(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text.push_str(content);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{page}: a fence is not closed");
    }
    blocks
}

fn blocks_in(language: &str) -> Vec<Block> {
    let mut blocks = blocks();
    blocks.retain(|block| block.language == language);
    assert!(!blocks.is_empty(), "no page has a block in {language}");
    blocks
}

/// An empty directory of its own for a test.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("foreign")
        .join(name);
    let _ = fs::remove_dir_all(&path); // what another run has left, if any
    fs::create_dir_all(&path).unwrap();
    path
}

/// Whether a command can be run and ends well.
fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<&str> {
    (text.split(|letter: char| !letter.is_ascii_digit()))
        .filter(|digits| !digits.is_empty())
        .collect()
}

#[test]
fn every_block_is_in_a_language_that_a_test_runs() {
    for block in blocks() {
        let known = ["", "python", "go", "c"].contains(&block.language.as_str());
        assert!(known, "{}: {:?}", block.place(), block.language);
    }
}

#[test]
fn the_answer_of_a_foreign_program_is_asserted_in_rust_on_the_same_page() {
    let blocks = blocks();
    for foreign in blocks.iter().filter(|block| !block.language.is_empty()) {
        let answer = numbers(foreign.prints());
        let asserted = |block: &&Block| {
            let asserts: String = (block.text.lines())
                .filter(|line| line.contains("assert"))
                .collect();
            let there = numbers(&asserts);
            answer.iter().all(|number| there.contains(number))
        };
        let ours = (blocks.iter())
            .filter(|block| block.page == foreign.page && block.language.is_empty())
            .find(asserted);
        assert!(ours.is_some(), "{}: {answer:?}", foreign.place());
    }
}

#[test]
fn programs_in_python_print_what_the_page_says() {
    if !works(Command::new("python3").arg("--version")) {
        skipped("there is no python3");
        return;
    }
    let directory = directory("python");
    for block in blocks_in("python") {
        let path = directory.join(format!("{}_{}.py", block.page, block.line));
        fs::write(&path, &block.text).unwrap();
        let compiled = Command::new("python3")
            .args(["-W", "error", "-m", "py_compile"])
            .arg(&path)
            .output();
        let compiled = compiled.unwrap();
        assert!(
            compiled.status.success(),
            "{}: {}",
            block.place(),
            text(&compiled.stderr)
        );
        // Python's own futureproof is on nobody's machine by itself.
        if block.text.contains("from futureproof import")
            && !works(Command::new("python3").args(["-c", "import futureproof"]))
        {
            skipped(&format!("{} needs a package, only compiled", block.place()));
            continue;
        }
        block.expect(&Command::new("python3").arg(&path).output().unwrap());
    }
}

#[test]
fn programs_with_openmp_print_what_the_page_says_with_and_without_cancellation() {
    let directory = directory("c");
    let compile = |source: &Path, program: &Path| {
        let mut command = Command::new("cc");
        command.args(["-fopenmp", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]);
        command.arg(program).arg(source);
        command
    };
    let probe = directory.join("probe.c");
    fs::write(&probe, "#include <omp.h>\nint main(void) { return 0; }\n").unwrap();
    if !works(&mut compile(&probe, &directory.join("probe"))) {
        skipped("there is no C compiler with OpenMP");
        return;
    }
    for block in blocks_in("c") {
        let source = directory.join(format!("{}_{}.c", block.page, block.line));
        let program = source.with_extension("");
        fs::write(&source, &block.text).unwrap();
        let compiled = compile(&source, &program).output().unwrap();
        assert!(
            compiled.status.success(),
            "{}: {}",
            block.place(),
            text(&compiled.stderr)
        );
        for cancellation in ["false", "true"] {
            let mut command = Command::new(&program);
            command.env("OMP_CANCELLATION", cancellation);
            block.expect(&command.output().unwrap());
        }
    }
}

#[test]
fn programs_in_go_are_formatted_and_pass_vet_and_print_what_the_page_says() {
    let directory = directory("go");
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(&directory);
        command.env("GOFLAGS", "-mod=mod").env("GOPROXY", "off");
        command.env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        // Beside the directory, which is emptied: building Go's own library takes a while.
        command.env("GOCACHE", directory.with_file_name("go-cache"));
        command
    };
    if !works(&mut go(&["version"])) {
        skipped("there is no go");
        return;
    }

    let mut module = String::from("module pages\n\ngo 1.18\n");
    for (name, package, source) in GO_STAND_INS {
        let path = directory.join(name.replace('/', "_"));
        fs::create_dir_all(path.join(package)).unwrap();
        fs::write(path.join("go.mod"), format!("module {name}\n\ngo 1.18\n")).unwrap();
        fs::write(path.join(package).join("stand_in.go"), source).unwrap();
        module += &format!(
            "\nrequire {name} v0.0.0\n\nreplace {name} => ./{}\n",
            name.replace('/', "_")
        );
    }
    fs::write(directory.join("go.mod"), module).unwrap();

    for block in blocks_in("go") {
        let name = format!("line_{}", block.line);
        let path = directory.join(&name).join("main.go");
        fs::create_dir_all(directory.join(&name)).unwrap();
        fs::write(&path, &block.text).unwrap();
        match Command::new("gofmt").args(["-e", "-d"]).arg(&path).output() {
            Err(_) => skipped("there is no gofmt"),
            Ok(formatted) => {
                let difference = text(&formatted.stdout) + &text(&formatted.stderr);
                assert!(
                    formatted.status.success() && difference.is_empty(),
                    "{}: {difference}",
                    block.place()
                );
            }
        }
        let package = format!("./{name}");
        let vetted = go(&["vet", &package]).output().unwrap();
        assert!(
            vetted.status.success(),
            "{}: {}",
            block.place(),
            text(&vetted.stderr)
        );
        block.expect(&go(&["run", &package]).output().unwrap());
    }
}
