//! Logs, read as blocks of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use crate::at;

/// Some lines of a file.
#[derive(Debug)]
pub struct Block {
    /// The name of the file.
    pub file: Arc<str>,
    /// The number of the first line.
    pub first: usize,
    /// The lines.
    pub text: String,
}

impl Block {
    /// Gives the lines, each with its number.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (self.first..).zip(self.text.lines())
    }
}

/// Reads a file block by block, each when it is asked for. `-` is stdin; `None` is a sample that comes with the program.
pub fn read(
    file: Option<String>,
    lines: usize,
) -> impl Iterator<Item = io::Result<Block>> + Send + 'static {
    let name: Arc<str> = file.as_deref().unwrap_or("sample").into();
    let (mut reader, mut next) = (None, 1);
    let mut block = move || {
        let reader = match &mut reader {
            Some(reader) => reader,
            none => none.insert(open(file.as_deref())?),
        };
        let (mut bytes, first) = (Vec::new(), next);
        while next < first + lines && reader.read_until(b'\n', &mut bytes)? > 0 {
            next += 1;
        }
        Ok((next > first).then(|| Block {
            file: Arc::clone(&name),
            first,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }))
    };
    std::iter::from_fn(move || block().transpose())
}

fn open(file: Option<&str>) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match file {
        None => Box::new(&include_bytes!("../data/dpkg.log")[..]),
        Some("-") => Box::new(BufReader::new(io::stdin())),
        Some(path) => {
            let file = File::open(path).map_err(|error| at(Path::new(path), error))?;
            Box::new(BufReader::new(file))
        }
    })
}
