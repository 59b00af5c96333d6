//! An HTTP API that is busy at times.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use crate::server::{Answer, serve};

/// How often each path was asked for.
pub type Counts = Arc<Mutex<BTreeMap<String, u32>>>;

/// Starts an API with items `/items/0`, `/items/1` and so on, and gives its address.
///
/// Item n is there after n % 4 failures; item 13 is missing, and item 27 broken.
pub fn start() -> io::Result<(String, Counts)> {
    let counts = Counts::default();
    let seen = Arc::clone(&counts);
    let address = serve(move |path| {
        let calls = {
            let mut seen = seen.lock().expect("nothing panics with the lock");
            let calls = seen.entry(path.to_owned()).or_default();
            *calls += 1;
            *calls
        };
        let item = path
            .strip_prefix("/items/")
            .and_then(|item| item.parse().ok());
        match item {
            None | Some(13) => Answer::new("404 Not Found", ""),
            Some(27) => Answer::new("500 Internal Server Error", ""),
            Some(item) if calls > item % 4 => Answer::new("200 OK", format!("this is item {item}")),
            Some(_) if calls == 1 => {
                Answer::new("429 Too Many Requests", "").header("Retry-After", 1)
            }
            Some(_) => Answer::new("503 Service Unavailable", ""),
        }
    })?;
    Ok((address, counts))
}
