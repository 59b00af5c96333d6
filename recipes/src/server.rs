//! A small HTTP/1.1 server inside the process, so that the recipes need no network.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What the server answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: &'static str,
    headers: String,
    body: String,
}

impl Answer {
    /// `status` is a number with its words, such as `200 OK`.
    pub fn new(status: &'static str, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.into(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let _ = write!(self.headers, "{name}: {value}\r\n"); // a `String` takes everything
        self
    }
}

/// Answers requests, each connection on a thread of its own, for as long as the process lives. `answer` gets the path.
///
/// Gives the address to put before the paths, such as `http://127.0.0.1:40123`.
pub fn serve(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}", listener.local_addr()?);
    let answer = Arc::new(answer);
    thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            for connection in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                // A client that leaves early is none of the server's business, and so is an error.
                let _ = thread::Builder::new()
                    .name("server".into())
                    .spawn(move || converse(connection, &*answer));
            }
        })?;
    Ok(address)
}

/// Answers the requests of one connection until the client closes it.
fn converse(mut connection: TcpStream, answer: impl Fn(&str) -> Answer) -> io::Result<()> {
    let mut requests = BufReader::new(connection.try_clone()?);
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while requests.read_line(&mut header)? > "\r\n".len() {
            header.clear();
        }
        let Answer {
            status,
            headers,
            body,
        } = answer(line.split(' ').nth(1).unwrap_or_default());
        let length = body.len();
        // In one piece: a second small write would wait for the client's acknowledgement.
        let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        connection.write_all(text.as_bytes())?;
    }
}
