//! Runs recipes as a person would: as programs, with what they print and how they end.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Against hangs only: no recipe takes a tenth of it.
pub const GUARD: Duration = Duration::from_secs(240);

pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        let Self { stdout, stderr, .. } = self;
        assert_eq!(self.code, Some(code), "\n{stdout}\n{stderr}");
        self
    }

    #[track_caller]
    pub fn assert_out(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text),
            "no {text:?} in:\n{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub fn assert_err(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "no {text:?} in:\n{}",
            self.stderr
        );
        self
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The log lines of level ERROR.
    pub fn errors(&self) -> Vec<&str> {
        self.stderr
            .lines()
            .filter(|line| line.contains("ERROR "))
            .collect()
    }
}

/// A recipe about to be run, with nothing of what the machine has set up.
pub fn recipe(path: &str) -> Command {
    let mut command = Command::new(path);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
        .env_remove("RUST_LOG")
        .env_remove("FUTUREPROOF_WORKERS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn run(path: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    finish(start(recipe(path).args(args)))
}

pub fn start(command: &mut Command) -> Child {
    command.spawn().expect("the recipe starts")
}

/// Writes `input` to its stdin, which must be piped, and waits for its end.
pub fn feed(mut child: Child, input: impl AsRef<[u8]> + Send + 'static) -> Output {
    let mut stdin = child.stdin.take().expect("the input is piped");
    let writer = thread::spawn(move || {
        // A recipe that ends early does not read it all.
        let _ = stdin.write_all(input.as_ref());
    });
    let output = finish(child);
    writer.join().expect("the writer does not panic");
    output
}

/// Waits for the end of `child`, which is killed when that does not come.
pub fn finish(mut child: Child) -> Output {
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let (ended, end) = mpsc::channel::<()>();
    let waiter = thread::spawn(move || {
        // The streams end with the process.
        let output = (stdout.join(), stderr.join());
        drop(ended);
        output
    });
    let hung = end.recv_timeout(GUARD) == Err(RecvTimeoutError::Timeout);
    if hung {
        child.kill().expect("a child can be killed");
    }
    let (stdout, stderr) = waiter.join().expect("the waiter does not panic");
    let (stdout, stderr) = (stdout.expect("UTF-8"), stderr.expect("UTF-8"));
    let status = child.wait().expect("a child can be waited for");
    assert!(!hung, "the recipe hung:\n{stdout}\n{stderr}");
    Output {
        code: status.code(),
        stdout,
        stderr,
    }
}

fn collect(from: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        // It is taken where the test reads it itself.
        if let Some(mut from) = from {
            from.read_to_string(&mut text).expect("recipes write UTF-8");
        }
        text
    })
}

#[cfg(unix)]
pub fn interrupt(pid: u32) {
    let pid = pid.to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.expect("there is a kill command").success());
}

/// A directory that is removed in the end.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("recipes-{pid}-{count}"));
        std::fs::create_dir(&path).expect("the temporary directory is writable");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and the directories it is in.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("it is below the directory")).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Looks again and again until `seen` gives something. Panics where only a hang can be the reason.
#[track_caller]
pub fn wait_for<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    loop {
        if let Some(seen) = seen() {
            return seen;
        }
        assert!(begin.elapsed() < GUARD, "{what} does not come");
        thread::sleep(Duration::from_millis(2));
    }
}
