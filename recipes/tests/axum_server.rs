//! The recipe `axum_server`: it answers while its workers are busy, says when it has too much to do, stops what nobody waits
//! for, and ends when all is done.

#![cfg(unix)]

mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::{self, JoinHandle};

use common::{Dir, Output, finish, recipe, start, wait_for};
use ureq::Agent;

const BIN: &str = env!("CARGO_BIN_EXE_axum_server");

/// A server, the files it serves, and a client.
struct Server {
    child: Child,
    address: String,
    agent: Agent,
    dir: Dir,
}

impl Server {
    fn start() -> Self {
        let dir = Dir::new();
        dir.write("file", "Wikipedia");
        dir.write("sub/empty", "");
        let mut command = recipe(BIN);
        command.args(["--listen", "127.0.0.1:0"]).arg(dir.path());
        let mut child = start(&mut command);
        let line = read_line(&mut child);
        let address = line.strip_prefix("listening on ").expect(&line);
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false);
        Self {
            child,
            address: address.to_owned(),
            agent: config.build().into(),
            dir,
        }
    }

    /// Asks, and waits for the answer.
    fn ask(&self, path: &str) -> (u16, String) {
        ask(&self.agent, &format!("{}{path}", self.address))
    }

    /// Asks on another thread.
    fn begin(&self, path: &str) -> JoinHandle<(u16, String)> {
        let (agent, url) = (self.agent.clone(), format!("{}{path}", self.address));
        thread::spawn(move || ask(&agent, &url))
    }

    /// Waits until `/health` says this.
    fn wait_for(&self, state: &str) {
        wait_for(state, || {
            self.ask("/health").1.contains(state).then_some(())
        });
    }

    /// Makes a file that blocks who reads it until the test has written it.
    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        let status = Command::new("mkfifo").arg(&path).status();
        assert!(status.expect("there is a mkfifo command").success());
        path
    }

    fn host(&self) -> String {
        self.address.trim_start_matches("http://").to_owned()
    }

    /// Asks, for a client that may go away.
    fn send(&self, path: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.host()).unwrap();
        write!(client, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        client
    }

    fn end(self) -> Output {
        common::interrupt(self.child.id());
        finish(self.child)
    }
}

fn ask(agent: &Agent, url: &str) -> (u16, String) {
    let mut answer = agent.get(url).call().expect("the server answers");
    let text = answer
        .body_mut()
        .read_to_string()
        .expect("answers are text");
    (answer.status().as_u16(), text)
}

/// The next line of stdout, and no more than that, which a buffer would take.
#[allow(clippy::unbuffered_bytes)]
fn read_line(child: &mut Child) -> String {
    let stdout = child.stdout.as_mut().expect("the output is piped");
    let bytes = stdout.bytes().map(|byte| byte.expect("it can be read"));
    let line = bytes.take_while(|&byte| byte != b'\n').collect();
    String::from_utf8(line).expect("recipes write UTF-8")
}

fn write(pipe: &PathBuf, text: &str) {
    let mut file = File::options().write(true).open(pipe).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn files_and_primes_are_answered() {
    let server = Server::start();
    let expected = [
        ("/checksum/file", 200, "11e60398\n"),
        ("/checksum/sub/empty", 200, "00000001\n"),
        ("/checksum/nothing", 404, "no such file\n"),
        ("/checksum/%2e%2e/file", 404, "no such file\n"),
        ("/checksum/%2fetc/hostname", 404, "no such file\n"),
        ("/primes/0", 200, "0\n"),
        ("/primes/1000", 200, "168\n"),
    ];
    for (path, status, text) in expected {
        assert_eq!(server.ask(path), (status, text.to_owned()), "{path}");
    }
    assert_eq!(server.ask("/checksum/sub").0, 500); // a directory
    assert_eq!(server.ask("/nothing").0, 404);
    server
        .end()
        .assert_code(0)
        .assert_out("ended, with nothing left to do");
}

#[test]
fn it_answers_while_all_workers_are_busy_and_refuses_what_there_is_no_room_for() {
    let server = Server::start();
    let mut waiting = Vec::new();
    for n in 0..4 {
        let name = format!("pipe-{n}");
        let pipe = server.pipe(&name);
        waiting.push((pipe, server.begin(&format!("/checksum/{name}"))));
        // One after the other: what a worker takes from the queue makes room there.
        let (running, queued) = ((n + 1_usize).min(2), (n + 1_usize).saturating_sub(2));
        server.wait_for(&format!("checksums: {running} running, {queued} waiting"));
    }
    for _ in 0..100 {
        let (status, text) = server.ask("/health");
        assert_eq!(status, 200);
        assert!(
            text.starts_with("checksums: 2 running, 2 waiting"),
            "{text}"
        );
    }
    let (status, text) = server.ask("/checksum/file");
    assert_eq!(status, 503);
    assert!(
        text.contains("all workers are busy and the queue is full"),
        "{text}"
    );
    assert_eq!(server.ask("/primes/100"), (200, "25\n".into())); // the loop's threads are others

    for (pipe, waiting) in waiting {
        write(&pipe, "Wikipedia");
        assert_eq!(waiting.join().unwrap(), (200, "11e60398\n".into()));
    }
    assert_eq!(server.ask("/checksum/file"), (200, "11e60398\n".into()));
    server.end().assert_code(0);
}

#[test]
fn a_loop_is_stopped_when_its_client_goes_away() {
    let server = Server::start();
    let client = server.send("/primes/1000000000000000");
    server.wait_for("primes: 1 counting, 0 stopped");
    drop(client);
    server.wait_for("primes: 0 counting, 1 stopped");
    assert_eq!(server.ask("/primes/10"), (200, "4\n".into()));
    server.end().assert_code(0);
}

#[test]
fn after_an_interrupt_requests_are_answered_and_tasks_finished_that_nobody_waits_for() {
    let server = Server::start();
    let (one, two) = (server.pipe("one"), server.pipe("two"));
    let waiting = server.begin("/checksum/one");
    let gone = server.send("/checksum/two");
    server.wait_for("checksums: 2 running");
    drop(gone);

    common::interrupt(server.child.id());
    wait_for("the end of the listener", || {
        TcpStream::connect(server.host()).err()
    });
    write(&one, "Wikipedia");
    assert_eq!(waiting.join().unwrap(), (200, "11e60398\n".into()));
    let Server { mut child, dir, .. } = server;
    assert_eq!(read_line(&mut child), "all requests are answered");
    assert!(child.try_wait().unwrap().is_none(), "a task still runs");
    write(&two, "");
    let output = finish(child);
    output.assert_code(0);
    assert_eq!(output.lines(), ["ended, with nothing left to do"]);
    drop(dir);
}

#[test]
fn the_second_interrupt_waits_for_nothing() {
    let server = Server::start();
    server.pipe("pipe");
    let client = server.send("/checksum/pipe");
    server.wait_for("checksums: 1 running");
    common::interrupt(server.child.id());
    wait_for("the end of the listener", || {
        TcpStream::connect(server.host()).err()
    });
    // Two signals at once may arrive as one.
    let Server { mut child, .. } = server;
    wait_for("the end", || {
        common::interrupt(child.id());
        child.try_wait().unwrap()
    });
    finish(child).assert_code(130);
    drop(client);
}

#[test]
fn without_arguments_it_tries_itself_out() {
    let output = common::run(BIN, [""; 0]);
    output
        .assert_code(0)
        .assert_out("/primes/100000: 200 OK: 9592\n");
    output.assert_out("/checksum/nothing: 404 Not Found: no such file\n");
    output.assert_out("checksums: 0 running, 0 waiting; primes: 0 counting, 0 stopped\n");
    output.assert_out("ended, with nothing left to do\n");
    common::run(BIN, ["--listen", "nowhere"])
        .assert_code(2)
        .assert_err("--listen");
    common::run(BIN, ["--help"])
        .assert_code(0)
        .assert_out("Usage: axum_server ");
}
