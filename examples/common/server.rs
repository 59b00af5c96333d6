//! A small HTTP/1.1 server inside the process, so that the examples need no network.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What the server has at one path.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) links: Vec<String>,
    /// The length of the body, as far as the links leave room for it.
    pub(crate) bytes: usize,
    /// How long the server thinks before it answers.
    pub(crate) delay: Duration,
}

/// Serves `pages` for as long as the process lives, and 404 for every other path.
///
/// Gives the address to put before the paths, such as `http://127.0.0.1:40123`.
pub(crate) fn serve(pages: Vec<Page>) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}", listener.local_addr()?);
    let pages: Arc<[Page]> = pages.into();
    thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            for connection in listener.incoming().flatten() {
                let pages = Arc::clone(&pages);
                // A client that leaves early is none of the server's business, and so is an error.
                let _ = thread::Builder::new()
                    .name("server".into())
                    .spawn(move || answer(connection, &pages));
            }
        })?;
    Ok(address)
}

/// Answers the requests of one connection until the client closes it.
fn answer(mut connection: TcpStream, pages: &[Page]) -> io::Result<()> {
    let mut requests = BufReader::new(connection.try_clone()?);
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default();
        let mut header = String::new();
        while requests.read_line(&mut header)? > "\r\n".len() {
            header.clear();
        }
        let (status, body) = match pages.iter().find(|page| page.path == path) {
            Some(page) => {
                thread::sleep(page.delay);
                ("200 OK", page.html())
            }
            None => ("404 Not Found", format!("there is nothing at {path}\n")),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        // In one piece: a second small write would wait for the client's acknowledgement.
        connection.write_all((head + &body).as_bytes())?;
    }
}

impl Page {
    fn html(&self) -> String {
        let mut html = format!("<title>{}</title>\n", self.path);
        for link in &self.links {
            let _ = writeln!(html, "<a href=\"{link}\">{link}</a>");
        }
        html.extend(std::iter::repeat_n(
            '.',
            self.bytes.saturating_sub(html.len()),
        ));
        html
    }
}
