//! The programs whose building is timed: the same with either crate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use futureproof_benches::machine;

/// How many loops the larger program has.
pub const LOOPS: usize = 200;

/// Whose loops a program has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contender {
    Ours,
    Rayon,
}

pub const CONTENDERS: [Contender; 2] = [Contender::Ours, Contender::Rayon];

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "futureproof",
            Self::Rayon => "rayon",
        }
    }

    fn dependency(self) -> String {
        match self {
            Self::Ours => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
                format!(
                    "futureproof = {{ path = {:?} }}",
                    path.unwrap_or(Path::new(".."))
                )
            }
            Self::Rayon => format!("rayon = \"={}\"", machine::crate_version("rayon")),
        }
    }

    fn import(self) -> &'static str {
        match self {
            Self::Ours => "use futureproof::parallel_for;",
            Self::Rayon => "use rayon::prelude::*;",
        }
    }

    fn text(self, function: &Function) -> &'static str {
        match self {
            Self::Ours => function.ours,
            Self::Rayon => function.rayon,
        }
    }
}

/// A function with one loop, as users of either crate would write it. `NUM` stands for a number of its own.
struct Function {
    ours: &'static str,
    rayon: &'static str,
}

/// What each program begins with; `IMPORT` is the contender's own line.
const HEAD: &str = "\
#![allow(unused)]

IMPORT
use std::fmt::Write;
use std::num::ParseIntError;

fn mix(value: u64) -> u64 {
    (value ^ (value >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
";

const FUNCTIONS: [Function; 5] = [
    // A failure leaves the function; some items are passed over.
    Function {
        ours: "
pub fn check_NUM(lines: &[String]) -> Result<(), ParseIntError> {
    parallel_for!(for line in lines {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number: u64 = line.parse()?;
        if mix(number) % 1000 == NUM {
            println!(\"{line} is one of NUM\");
        }
    });
    Ok(())
}
",
        rayon: "
pub fn check_NUM(lines: &[String]) -> Result<(), ParseIntError> {
    lines.par_iter().try_for_each(|line| {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let number: u64 = line.parse()?;
        if mix(number) % 1000 == NUM {
            println!(\"{line} is one of NUM\");
        }
        Ok(())
    })
}
",
    },
    // A sum, or the first failure.
    Function {
        ours: "
pub fn total_NUM(lines: &[String]) -> Result<u64, ParseIntError> {
    let mut total = 0;
    parallel_for!(
        reduce(total),
        for line in lines {
            let mut cells = line.split(';');
            let first: u64 = cells.next().unwrap_or(\"NUM\").parse()?;
            let second: u64 = cells.next().unwrap_or(\"0\").parse()?;
            let both = mix(first) ^ mix(second);
            total += both % (NUM + 1);
        }
    );
    Ok(total)
}
",
        rayon: "
pub fn total_NUM(lines: &[String]) -> Result<u64, ParseIntError> {
    lines
        .par_iter()
        .map(|line| {
            let mut cells = line.split(';');
            let first: u64 = cells.next().unwrap_or(\"NUM\").parse()?;
            let second: u64 = cells.next().unwrap_or(\"0\").parse()?;
            let both = mix(first) ^ mix(second);
            Ok(both % (NUM + 1))
        })
        .sum()
}
",
    },
    // The first that is found.
    Function {
        ours: "
pub fn find_NUM(from: u64, to: u64) -> Option<String> {
    parallel_for!(for number in from..to {
        let mut value = number;
        for _ in 0..10 {
            value = mix(value);
        }
        if value % 1_000_000 == NUM {
            return Some(format!(\"{number} becomes {value}\"));
        }
    });
    None
}
",
        rayon: "
pub fn find_NUM(from: u64, to: u64) -> Option<String> {
    (from..to).into_par_iter().find_map_first(|number| {
        let mut value = number;
        for _ in 0..10 {
            value = mix(value);
        }
        if value % 1_000_000 == NUM {
            return Some(format!(\"{number} becomes {value}\"));
        }
        None
    })
}
",
    },
    // In place, over what is borrowed mutably.
    Function {
        ours: "
pub fn change_NUM(values: &mut [u64], limits: &[u64]) {
    parallel_for!(for value in values {
        let limit = limits.get((*value % 7) as usize).copied().unwrap_or(NUM);
        if *value > limit {
            *value = limit;
            continue;
        }
        let mixed = mix(*value);
        *value = mixed.rotate_left(5) % (limit + 1);
    });
}
",
        rayon: "
pub fn change_NUM(values: &mut [u64], limits: &[u64]) {
    values.par_iter_mut().for_each(|value| {
        let limit = limits.get((*value % 7) as usize).copied().unwrap_or(NUM);
        if *value > limit {
            *value = limit;
            return;
        }
        let mixed = mix(*value);
        *value = mixed.rotate_left(5) % (limit + 1);
    });
}
",
    },
    // What is kept of the input, in its order.
    Function {
        ours: "
pub fn select_NUM(words: Vec<String>) -> Vec<String> {
    let mut selected = Vec::new();
    parallel_for!(
        reduce(selected),
        for word in words {
            let length = word.len() as u64;
            if length % 2 == NUM % 2 {
                continue;
            }
            let mut text = String::with_capacity(word.len() + 8);
            let _ = write!(text, \"{word}-{}\", mix(length));
            selected.push(text);
        }
    );
    selected
}
",
        rayon: "
pub fn select_NUM(words: Vec<String>) -> Vec<String> {
    words
        .into_par_iter()
        .filter_map(|word| {
            let length = word.len() as u64;
            if length % 2 == NUM % 2 {
                return None;
            }
            let mut text = String::with_capacity(word.len() + 8);
            let _ = write!(text, \"{word}-{}\", mix(length));
            Some(text)
        })
        .collect()
}
",
    },
];

/// A package on disk.
#[derive(Debug)]
pub struct Package {
    pub directory: PathBuf,
    /// The file to touch.
    pub source: PathBuf,
}

/// Writes a program with one loop.
pub fn small(root: &Path, contender: Contender) -> io::Result<Package> {
    let main = "
fn main() {
    let lines: Vec<String> = std::env::args().skip(1).collect();
    println!(\"{:?}\", total_0(&lines));
}
";
    let text = source(contender, &FUNCTIONS[1..2], 1) + main;
    package(root, contender, "small", "main.rs", &text)
}

/// Writes a library with [`LOOPS`] loops.
pub fn large(root: &Path, contender: Contender) -> io::Result<Package> {
    let text = source(contender, &FUNCTIONS, LOOPS);
    package(root, contender, "large", "lib.rs", &text)
}

fn source(contender: Contender, functions: &[Function], loops: usize) -> String {
    let mut text = HEAD.replace("IMPORT", contender.import());
    for (number, function) in (0..loops).zip(functions.iter().cycle()) {
        text += &contender.text(function).replace("NUM", &number.to_string());
    }
    text
}

fn package(
    root: &Path,
    contender: Contender,
    size: &str,
    file: &str,
    text: &str,
) -> io::Result<Package> {
    let name = format!("{size}-{}", contender.name());
    let directory = root.join(&name);
    fs::create_dir_all(directory.join("src"))?;
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    // With the versions that this package has, and that are there since it was built.
    fs::copy(benches.join("Cargo.lock"), directory.join("Cargo.lock"))?;
    fs::write(
        directory.join("Cargo.toml"),
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [workspace]\n\n[dependencies]\n{}\n",
            contender.dependency()
        ),
    )?;
    let source = directory.join("src").join(file);
    fs::write(&source, text)?;
    Ok(Package { directory, source })
}
