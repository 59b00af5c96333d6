use std::io::{Error, ErrorKind};

use futureproof::task_pool;

fn main() {
    let worth = ErrorKind::TimedOut;

    #[task_pool(retry = 3, retry_if = |error: &Error| error.kind() == worth)]
    fn load(path: &str) -> Result<String, Error> {
        std::fs::read_to_string(path)
    }

    load::submit("/etc/hostname");
    println!("{worth:?}");
}
