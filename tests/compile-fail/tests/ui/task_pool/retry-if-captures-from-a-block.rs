use std::io::Error;

use futureproof::task_pool;

#[task_pool(retry = 3, retry_if = {
    let worth = std::io::ErrorKind::TimedOut;
    move |error| error.kind() == worth
})]
fn load(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(path)
}

fn main() {
    load::submit("/etc/hostname");
}
