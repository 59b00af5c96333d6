//! Work that blocks or computes, inside an async server, which goes on answering all the while.
//!
//! - `/checksum/FILE` runs on the pool of a `#[task_pool]` function, whose handle is a future. When two run and two more
//!   wait, the next client is told at once to come again: 503. Who goes away leaves a task behind that still runs.
//! - `/primes/BELOW` is a loop, on one of tokio's threads for blocking work. When its client goes away, axum drops the
//!   future of the request, and with it a guard, which stops the loop. Each such loop is on a thread more, up to tokio's
//!   limit of 512; a semaphore would allow fewer.
//! - `/health` says what is going on, and is never kept waiting.
//!
//! ^C ends the server: requests that are being answered are finished, and so is what the pool has accepted.
//!
//! ```text
//! cargo run -p futureproof-recipes --bin axum_server                      some requests, then it ends
//! cargo run -p futureproof-recipes --bin axum_server -- --listen 127.0.0.1:8080 /usr/share/doc
//! ```

use std::error::Error;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::extract::{self, State};
use axum::http::StatusCode;
use axum::routing::get;
use clap::Parser;
use futureproof::{StopToken, Stopped, TaskErrorKind, parallel_for, task_pool};
use futureproof_recipes::{adler32, repository};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;
use tokio::task::spawn_blocking;

/// Serves checksums of files, and numbers of primes
#[derive(Parser)]
struct Args {
    /// Where the files are; without it, in this repository
    root: Option<PathBuf>,
    /// Serve there until ^C, instead of some requests of its own
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

type Answer = Result<String, (StatusCode, String)>;

#[task_pool(workers = 2, capacity = 2, keep_args = false)]
fn checksum(path: PathBuf) -> io::Result<u32> {
    adler32(File::open(path)?)
}

async fn checksum_of(State(root): State<Arc<Path>>, path: extract::Path<PathBuf>) -> Answer {
    let below = |part| matches!(part, Component::Normal(_));
    if !path.components().all(below) {
        return Err((StatusCode::NOT_FOUND, "no such file\n".into()));
    }
    // `submit` would wait for room, and with it one of the few threads that serve everybody.
    let handle = checksum::try_submit(root.join(&*path))
        .map_err(|refused| (StatusCode::SERVICE_UNAVAILABLE, format!("{refused}\n")))?;
    let sum = handle.await.map_err(|error| match error.kind() {
        TaskErrorKind::Failed(cause) if cause.kind() == io::ErrorKind::NotFound => {
            (StatusCode::NOT_FOUND, "no such file\n".into())
        }
        _ => broken(error),
    })?;
    Ok(format!("{sum:08x}\n"))
}

async fn primes(below: extract::Path<u64>) -> Answer {
    let stop = StopToken::new();
    let _guard = StopOnDrop(stop.clone());
    let counting = spawn_blocking(move || {
        COUNTING.fetch_add(1, Relaxed);
        let outcome = count_primes(*below, &stop);
        STOPPED.fetch_add(usize::from(outcome.is_err()), Relaxed);
        COUNTING.fetch_sub(1, Relaxed);
        outcome
    });
    let primes = counting.await.map_err(broken)?.map_err(broken)?;
    Ok(format!("{primes}\n"))
}

fn broken(error: impl Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
}

fn count_primes(below: u64, stop: &StopToken) -> Result<u64, Stopped> {
    let mut primes = 0;
    parallel_for!(
        stop = stop,
        reduce(primes),
        for n in 2..below {
            if (2..).take_while(|d| d * d <= n).all(|d| n % d != 0) {
                primes += 1;
            }
        }
    )?;
    Ok(primes)
}

/// Stops the token when the future that it is part of is dropped, which is what happens when the client goes away.
struct StopOnDrop(StopToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Loops that are running, and loops that were stopped.
static COUNTING: AtomicUsize = AtomicUsize::new(0);
static STOPPED: AtomicUsize = AtomicUsize::new(0);

async fn health() -> String {
    let checksums = checksum::pool().stats();
    format!(
        "checksums: {} running, {} waiting; primes: {} counting, {} stopped\n",
        checksums.running(),
        checksums.waiting(),
        COUNTING.load(Relaxed),
        STOPPED.load(Relaxed),
    )
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let root: Arc<Path> = args.root.as_deref().unwrap_or(repository()).into();
    let app = Router::new()
        .route("/checksum/{*path}", get(checksum_of))
        .route("/primes/{below}", get(primes))
        .route("/health", get(health))
        .with_state(root);
    let address = args.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
    let listener = TcpListener::bind(address).await?;
    let address = format!("http://{}", listener.local_addr()?);
    println!("listening on {address}");

    let end = async move {
        if args.listen.is_some() {
            let _ = ctrl_c().await;
            tokio::spawn(async {
                let _ = ctrl_c().await;
                process::exit(130); // the second one waits for nothing
            });
        } else if let Ok(Err(error)) = spawn_blocking(move || try_out(&address)).await {
            eprintln!("error: {error}");
        }
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(end)
        .await?;

    println!("all requests are answered");
    // What clients have left behind that went away may still run.
    match spawn_blocking(|| checksum::pool().drain(Duration::from_secs(60))).await? {
        Ok(()) => println!("ended, with nothing left to do"),
        Err(left) => println!("ended: {left}"),
    }
    Ok(())
}

/// Asks the server for something of each kind.
fn try_out(address: &str) -> Result<(), ureq::Error> {
    let config = ureq::Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    for path in [
        "/checksum/LICENSE-MIT",
        "/checksum/nothing",
        "/primes/100000",
        "/health",
    ] {
        let mut answer = agent.get(format!("{address}{path}")).call()?;
        let text = answer.body_mut().read_to_string()?;
        println!("{path}: {}: {}", answer.status(), text.trim_end());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    futureproof_recipes::init_log();
    futureproof_recipes::exit(run(args).await)
}
