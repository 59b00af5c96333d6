//! The work that is drawn: pages are fetched by a pool, rendered by a loop as they come, and indexed.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use futureproof::{Retry, parallel_for, task_pool};

const PAGES: u32 = 36;

#[task_pool(
    workers = 4,
    error_policy = "ignore",
    retry = Retry::attempts(3).backoff(Duration::from_millis(40)),
    retry_if = |error| matches!(error, FetchError::Busy)
)]
fn fetch(page: u32) -> Result<Page, FetchError> {
    // Stands for a server that has no page 23, and that is busy when it is first asked for some
    // of the others.
    static ASKED: [AtomicBool; PAGES as usize] = [const { AtomicBool::new(false) }; PAGES as usize];
    let asked = ASKED[page as usize].swap(true, Ordering::Relaxed);
    let busy = page % 7 == 5 && !asked;
    let millis = if busy { 12 } else { 25 + page * 37 % 50 };
    thread::sleep(Duration::from_millis(millis.into()));
    match page {
        23 => Err(FetchError::Missing),
        _ if busy => Err(FetchError::Busy),
        _ => Ok(Page {
            number: page,
            figures: if page % 12 == 7 { 6 } else { 0 },
        }),
    }
}

/// Runs everything, and gives how many pages there are in the end.
pub(crate) fn run() -> Result<usize, Box<dyn Error>> {
    let mut rendered = Vec::new();
    fetch::scope(|tasks| {
        tasks.map(0..PAGES);
        // The loop takes the pages in the order in which they come. What could not be fetched, and
        // what could not be rendered, is logged and left out.
        parallel_for!(
            workers = 3,
            name = "render",
            error_policy = "log",
            reduce(rendered),
            for page in tasks.as_completed() {
                rendered.push(page?.result.render()?);
            }
        );
        Ok(())
    })?;

    let mut words = 0;
    parallel_for!(
        workers = 3,
        name = "index",
        reduce(words),
        for word in 0..1500_u32 {
            words += mandelbrot(word % 40, 40, 60);
        }
    );
    Ok(rendered.len())
}

#[derive(Clone)]
struct Page {
    number: u32,
    figures: u32,
}

impl Page {
    fn render(&self) -> Result<u64, RenderError> {
        // Rows in the middle take longer than those at the edges: real work is skewed, too.
        let first = self.number * 5 % 60 + 14;
        let mut ink = (first..first + 8)
            .map(|row| mandelbrot(row, 96, 1500))
            .sum();
        if self.number % 16 == 10 {
            return Err(RenderError(self.number));
        }
        assert!(self.number != 29, "page 29 has a figure without a size");
        if self.figures > 0 {
            parallel_for!(
                workers = 2,
                name = "figures",
                reduce(ink),
                for figure in 0..self.figures {
                    ink += mandelbrot(30 + 4 * figure, 96, 6000);
                }
            );
        }
        Ok(ink)
    }
}

/// Gives the sum over one of `rows` rows of the Mandelbrot set: how long each of its points stays bounded.
fn mandelbrot(row: u32, rows: u32, columns: u32) -> u64 {
    let y = f64::from(row) / f64::from(rows) * 2.4 - 1.2;
    let points = (0..columns).map(|column| {
        let x = f64::from(column) / f64::from(columns) * 3.0 - 2.0;
        let (mut re, mut im, mut steps) = (0.0, 0.0, 0_u32);
        while steps < 500 && re * re + im * im < 4.0 {
            (re, im) = (re * re - im * im + x, 2.0 * re * im + y);
            steps += 1;
        }
        u64::from(steps)
    });
    points.sum()
}

#[derive(Debug)]
enum FetchError {
    Busy,
    Missing,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the server is busy",
            Self::Missing => "there is no such page",
        })
    }
}

impl Error for FetchError {}

#[derive(Debug)]
struct RenderError(u32);

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {} cannot be rendered", self.0)
    }
}

impl Error for RenderError {}
