//! Functions with a pool.

use std::fmt::Display;
use std::num::ParseIntError;
use std::time::Duration;

use futureproof::{parallel_for, task_pool};

/// Loads what an address names.
///
/// It waits for `timeout` at most.
#[task_pool(workers = 5, error_policy = "raise")]
pub fn load_url(url: &str, timeout: Duration) -> Result<Vec<u8>, std::io::Error> {
    let body = format!("{url} {timeout:?}");
    Ok(body.into_bytes())
}

/// In a scope.
pub fn in_a_scope(urls: &[String]) -> Result<usize, Box<dyn std::error::Error>> {
    let timeout = Duration::from_secs(1);
    let mut bytes = 0;
    load_url::scope(|tasks| {
        for url in urls {
            tasks.submit(url, timeout);
        }
        for done in tasks.as_completed() {
            let loaded = done?;
            bytes += loaded.result.len();
        }
        Ok(())
    })?;
    Ok(bytes)
}

/// Iterators and handles.
pub fn elsewhere() -> Result<(), Box<dyn std::error::Error>> {
    let timeout = Duration::from_secs(1);
    for done in load_url::map([("a", timeout), ("b", timeout)]) {
        let loaded = done?;
        println!("{:?} {}", loaded.args, loaded.result.len());
    }
    let handle = load_url::submit("c", timeout);
    let page = handle.join()?;
    println!("{}", page.len());
    let retried = load_url::configure().retry(3).submit("d", timeout);
    println!("{:?} {:?}", retried.join(), load_url::pool().stats());
    Ok(())
}

/// Whatever can be shown.
#[task_pool]
pub fn show<T: Display + Clone>(value: T) -> String {
    value.to_string()
}

/// A loop in its body runs on its pool.
#[task_pool(workers = 2, retry = 3, retry_if = |error: &ParseIntError| error.to_string().is_empty())]
pub fn total(numbers: Vec<String>) -> Result<u32, ParseIntError> {
    let mut sum = 0;
    parallel_for!(
        reduce(sum),
        for number in &numbers {
            sum += number.parse::<u32>()?;
        }
    );
    Ok(sum)
}

/// A shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// What it is called.
    pub name: String,
}

impl Shop {
    /// What a thing costs here.
    #[task_pool(workers = 3)]
    pub fn price(&self, thing: &str) -> Result<u32, String> {
        thing.parse().map_err(|_| self.name.clone())
    }

    /// What all things cost.
    pub fn prices(&self, things: &[&str]) -> Result<u32, Box<dyn std::error::Error>> {
        let mut sum = 0;
        Self::price_scope(|tasks| {
            for &thing in things {
                tasks.submit(self, thing);
            }
            for done in tasks.in_order() {
                sum += done?.result;
            }
            Ok(())
        })?;
        Ok(sum)
    }
}
