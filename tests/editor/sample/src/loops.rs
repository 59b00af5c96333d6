//! Loops.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use futureproof::{ErrorPolicy, LiveReport, Report, StopToken, Stopped, parallel_for};

/// A page of a book.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// What stands on it.
    pub text: String,
    /// Its number.
    pub number: usize,
}

impl Page {
    /// How long its text is.
    pub fn length(&self) -> usize {
        self.text.len()
    }
}

/// Reads a page.
pub fn read_page(name: &str) -> std::io::Result<Page> {
    let text = std::fs::read_to_string(name)?;
    Ok(Page { text, number: 1 })
}

/// Nothing but a body.
pub fn plain(pages: &[Page], prefix: &str) {
    parallel_for!(for page in pages {
        let line = format!("{prefix}{}", page.text);
        let length = page.length();
        println!("{line} {length}");
    });
}

/// `?`, and variables that are reduced.
pub fn reduced(names: &[&str]) -> std::io::Result<usize> {
    let (mut bytes, mut longest) = (0, 0);
    let mut pages = Vec::new();
    parallel_for!(
        workers = 4,
        reduce(bytes, max(longest), pages),
        for &name in names {
            let page = read_page(name)?;
            bytes += page.length();
            longest = longest.max(page.length());
            pages.push(page);
        }
    );
    println!("{longest} {}", pages.len());
    Ok(bytes)
}

/// Variables of each worker.
pub fn local(names: Vec<String>) {
    let depth = 3;
    parallel_for!(
        workers = depth,
        local(buffer = String::new(), count = 0_u64),
        for name in names {
            buffer.clear();
            buffer.push_str(&name);
            count += 1;
            println!("{buffer} {count}");
        }
    );
}

/// Every option, each on a line of its own.
pub fn options(policy: ErrorPolicy, token: &StopToken) -> Result<Report, Stopped> {
    let live = LiveReport::new();
    let mut sum = 0;
    parallel_for!(
        workers = 2,
        error_policy = "log",
        name = "all options",
        batch = 1,
        monitor = "500ms",
        live = &live,
        reduce(sum),
        for number in [1, 2] {
            sum += number;
        }
    );
    parallel_for!(
        error_policy = policy,
        monitor = Duration::from_secs(1),
        for number in 0..sum {
            std::hint::black_box(number);
        }
    );
    let stopped: Result<Report, Stopped> = parallel_for!(deadline = "10ms", for _ in 0.. {});
    println!("{:?}", stopped.is_err());
    parallel_for!(
        stop = token,
        for number in 0_u64.. {
            if number == 100 {
                token.stop();
            }
        }
    )
}

/// `?` of any type, which the loop takes. The door for editors does not know that, and no editor minds.
#[cfg(not(door_for_editors))]
pub fn ignored(texts: &[&str]) -> u32 {
    let mut sum = 0;
    parallel_for!(
        error_policy = "ignore",
        reduce(sum),
        for text in texts {
            sum += text.parse::<u32>()?;
        }
    );
    sum
}

/// Labels, `break`, `continue` and `return`.
pub fn labels(rows: &[Vec<u32>], wanted: u32) -> Option<usize> {
    'rows: for row in rows {
        parallel_for!('cells: for &cell in row {
            if cell == 0 {
                continue 'cells;
            }
            if cell == 1 {
                continue 'rows;
            }
            if cell == 2 {
                break 'rows;
            }
            if cell == 3 {
                break;
            }
            if cell == wanted {
                return Some(row.len());
            }
        });
    }
    None
}

/// A loop in a loop; both are reduced.
pub fn nested(words: &[&str]) -> HashMap<char, usize> {
    let mut letters = HashMap::new();
    let report = parallel_for!(
        reduce(letters),
        for word in words {
            let mut inside = HashMap::new();
            parallel_for!(
                reduce(inside),
                for letter in word.chars() {
                    *inside.entry(letter).or_insert(0_usize) += 1;
                }
            );
            for (letter, times) in inside {
                *letters.entry(letter).or_insert(0) += times;
            }
        }
    );
    println!("{} words", report.completed());
    letters
}

/// In a closure, in braces, in a macro, and with an error that is boxed.
pub fn elsewhere(texts: &[&str]) -> Result<(), Box<dyn Error>> {
    let parse = |text: &str| -> Result<u32, Box<dyn Error>> {
        parallel_for!(for digit in text.chars() {
            digit.to_digit(10).ok_or("no digit")?;
        });
        Ok(text.parse()?)
    };
    parallel_for! {
        for text in texts {
            println!("{}", text.parse::<u32>()?);
        }
    };
    println!("{}", parse("12")?);
    Ok(())
}
