//! A language server, and the messages that go to it and come back.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How long an answer may take; a machine that does other things beside is slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// `ContentModified` and `RequestCancelled`: ask again.
const AGAIN: [i64; 2] = [-32801, -32802];

pub struct Server {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    /// What came while an answer was waited for.
    notifications: VecDeque<Value>,
    last_id: u64,
}

impl Server {
    /// Starts a server in a folder, and waits until it has read everything there.
    pub fn start(program: &str, folder: &Path, settings: Value) -> Self {
        let mut process = Command::new(program)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            process,
            input,
            messages,
            notifications: VecDeque::new(),
            last_id: 0,
        };
        server.request(
            "initialize",
            json!({
                "processId": std::process::id(),
                "rootUri": uri(folder),
                "workspaceFolders": [{ "uri": uri(folder), "name": "sample" }],
                "initializationOptions": settings,
                "capabilities": {
                    "general": { "positionEncodings": ["utf-8"] },
                    "textDocument": {
                        "hover": { "contentFormat": ["markdown"] },
                        "completion": { "completionItem": { "snippetSupport": true } },
                        "diagnostic": {},
                        "inlayHint": {},
                        "rename": { "prepareSupport": true },
                    },
                    "experimental": { "serverStatusNotification": true },
                },
            }),
        );
        server.notify("initialized", json!({}));
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        loop {
            let message = match self.notifications.pop_front() {
                Some(message) => message,
                None => self.receive(),
            };
            if message["method"] == "experimental/serverStatus"
                && message["params"]["quiescent"] == true
            {
                let health = &message["params"]["health"];
                assert_ne!(health, "error", "{message}");
                return;
            }
        }
    }

    /// Asks, and waits for the answer.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        loop {
            self.last_id += 1;
            let id = self.last_id;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = loop {
                let message = self.receive();
                if message["id"] == id && message.get("method").is_none() {
                    break message;
                }
                self.notifications.push_back(message);
            };
            match answer["error"]["code"].as_i64() {
                None => return answer["result"].clone(),
                Some(code) if AGAIN.contains(&code) => thread::sleep(Duration::from_millis(50)),
                Some(_) => return json!({ "error": answer["error"]["message"] }),
            }
        }
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    /// The next message that is no question of the server's: those get an answer that says nothing.
    fn receive(&mut self) -> Value {
        loop {
            let message = self
                .messages
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|error| panic!("no answer from the server: {error}"));
            if message.get("method").is_none() || message.get("id").is_none() {
                return message;
            }
            let nothing = json!({ "jsonrpc": "2.0", "id": message["id"], "result": null });
            self.send(&nothing);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A file's or folder's address.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// One message; `None` where there are no more.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
