//! `#[task_pool]`: tasks that are tried again.

use std::collections::HashSet;
use std::fmt::{self, Display};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futureproof::{Retry, ScopeError, TaskError, TaskErrorKind, parallel_for, task_pool};

type AnyError = Box<dyn std::error::Error>;

const WAIT: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, PartialEq)]
enum Failure {
    Busy,
    Lost,
}

impl Failure {
    fn is_transient(&self) -> bool {
        *self == Self::Busy
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// Is busy a few times before it answers.
#[derive(Debug)]
struct Server {
    busy: AtomicU32,
    calls: AtomicU32,
}

impl Server {
    const fn busy(times: u32) -> Self {
        Self {
            busy: AtomicU32::new(times),
            calls: AtomicU32::new(0),
        }
    }

    fn answer<T>(&self, answer: T) -> Result<T, Failure> {
        self.calls.fetch_add(1, Relaxed);
        match self.busy.load(Relaxed) {
            0 => Ok(answer),
            busy => {
                self.busy.store(busy - 1, Relaxed);
                Err(Failure::Busy)
            }
        }
    }

    fn calls(&self) -> u32 {
        self.calls.load(Relaxed)
    }
}

#[task_pool(workers = 2, retry = Retry::attempts(4).backoff(WAIT))]
fn load(server: &Server, page: &str) -> Result<String, Failure> {
    server.answer(format!("page {page}"))
}

#[test]
fn a_task_is_tried_again_until_it_succeeds() {
    static SERVER: Server = Server::busy(3);
    let done = load::submit(&SERVER, "1").join_task().unwrap();
    assert_eq!((done.args.1, &*done.result), ("1", "page 1"));
    assert_eq!(SERVER.calls(), 4);
}

#[test]
fn after_the_last_attempt_the_error_says_how_many_there_were() {
    static SERVER: Server = Server::busy(u32::MAX);
    let error = load::submit(&SERVER, "1").join().unwrap_err();
    assert_eq!((error.attempts(), SERVER.calls()), (4, 4));
    assert!(error.to_string().contains("after 4 attempts"), "{error}");
    assert!(matches!(
        error.into_kind(),
        TaskErrorKind::Failed(Failure::Busy)
    ));
}

#[test]
fn a_plain_call_is_one_attempt() {
    let server = Server::busy(1);
    assert_eq!(load(&server, "1"), Err(Failure::Busy));
    assert_eq!(server.calls(), 1);
}

#[test]
fn arguments_of_a_scope_may_borrow() -> Result<(), AnyError> {
    let servers: Vec<Server> = (0..4).map(Server::busy).collect();
    let pages = load::scope(|tasks| {
        for server in &servers {
            tasks.submit(server, "1");
        }
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .collect::<Vec<_>>())
    })?;
    assert_eq!(pages, ["page 1"; 4]);
    let calls: Vec<u32> = servers.iter().map(Server::calls).collect();
    assert_eq!(calls, [1, 2, 3, 4]);
    Ok(())
}

#[test]
fn every_way_to_submit_tries_again() {
    static SERVERS: [Server; 5] = [const { Server::busy(2) }; 5];

    let [mapped, completed, submitted, tried, managed] = &SERVERS;
    assert!(load::map([(mapped, "1")]).all(|done| done.is_ok()));
    assert!(load::as_completed([(completed, "1")]).all(|done| done.is_ok()));
    assert!(load::submit(submitted, "1").join().is_ok());
    assert!(load::try_submit(tried, "1").unwrap().join().is_ok());
    load::scope(|tasks| {
        tasks.map([(managed, "1")]);
    })
    .unwrap();
    assert!(SERVERS.iter().all(|server| server.calls() == 3));
}

#[test]
fn a_number_is_enough() {
    #[task_pool(retry = 2)]
    fn ask(server: &Server) -> Result<u8, Failure> {
        server.answer(5)
    }
    static SERVER: Server = Server::busy(1);
    assert_eq!(ask::submit(&SERVER).join().unwrap(), 5);
}

#[test]
fn a_task_without_arguments_can_be_tried_again() {
    static SERVER: Server = Server::busy(1);

    #[task_pool(retry = Retry::attempts(2).backoff(WAIT))]
    fn ask() -> Result<u8, Failure> {
        SERVER.answer(5)
    }
    assert_eq!(ask::submit().join().unwrap(), 5);
}

#[test]
fn arguments_that_are_not_kept_are_cloned_for_each_attempt() {
    static SERVER: Server = Server::busy(2);
    static CLONES: AtomicU32 = AtomicU32::new(0);

    struct Page(u8);

    impl Clone for Page {
        fn clone(&self) -> Self {
            CLONES.fetch_add(1, Relaxed);
            Self(self.0)
        }
    }

    #[task_pool(keep_args = false, retry = Retry::attempts(5).backoff(WAIT))]
    fn load(page: Page) -> Result<u8, Failure> {
        SERVER.answer(page.0)
    }
    let done = load::submit(Page(7)).join_task().unwrap();
    assert_eq!((done.args, done.result), ((), 7));
    assert!(CLONES.load(Relaxed) >= 2);
}

#[test]
fn a_closure_says_which_errors_are_worth_it() {
    #[task_pool(error_policy = "ignore", retry = Retry::attempts(3).backoff(WAIT), retry_if = |error| *error == Failure::Busy)]
    fn fail(with: &Failure) -> Result<(), Failure> {
        Err(with.clone())
    }
    let attempts = |with: &'static Failure| fail::submit(with).join().unwrap_err().attempts();
    assert_eq!(attempts(&Failure::Busy), 3);
    assert_eq!(attempts(&Failure::Lost), 1);
}

#[test]
fn a_function_says_which_errors_are_worth_it() {
    #[task_pool(retry = Retry::attempts(3).backoff(WAIT), retry_if = Failure::is_transient)]
    fn fail(with: Failure) -> Result<(), Failure> {
        Err(with)
    }
    let attempts = |with| fail::submit(with).join().unwrap_err().attempts();
    assert_eq!((attempts(Failure::Busy), attempts(Failure::Lost)), (3, 1));
}

trait Job: Clone + Send + 'static {
    type Error: Send;
    fn run(&self) -> Result<u8, Self::Error>;
    fn is_worth_it(error: &Self::Error) -> bool;
}

impl Job for u8 {
    type Error = Failure;

    fn run(&self) -> Result<u8, Failure> {
        Err([Failure::Busy, Failure::Lost][usize::from(*self)].clone())
    }

    fn is_worth_it(error: &Failure) -> bool {
        error.is_transient()
    }
}

#[test]
fn the_predicate_may_use_the_functions_own_type_parameters() {
    #[task_pool(retry = Retry::attempts(3).backoff(WAIT), retry_if = J::is_worth_it)]
    fn by_path<J: Job>(job: J) -> Result<u8, J::Error> {
        job.run()
    }
    #[task_pool(retry = Retry::attempts(3).backoff(WAIT), retry_if = |error| J::is_worth_it(error))]
    fn by_closure<J: Job>(job: J) -> Result<u8, J::Error> {
        job.run()
    }
    let attempts = |job| {
        [
            by_path::submit(job).join().unwrap_err().attempts(),
            by_closure::submit(job).join().unwrap_err().attempts(),
        ]
    };
    assert_eq!((attempts(0), attempts(1)), ([3, 3], [1, 1]));
}

#[test]
fn errors_that_borrow_can_be_judged() {
    #[task_pool(retry = Retry::attempts(3).backoff(WAIT), retry_if = |word| word.starts_with('b'))]
    fn reject(word: &str) -> Result<(), &str> {
        Err(word)
    }
    let words = [String::from("busy"), String::from("lost")];
    let mut attempts = vec![];
    let outcome = reject::configure()
        .error_policy(futureproof::ErrorPolicy::Ignore)
        .scope(|tasks| {
            for word in &words {
                tasks.submit(word);
            }
            let failed = tasks.in_order().filter_map(Result::err);
            attempts.extend(failed.map(|error| error.attempts()));
        });
    assert!(outcome.is_ok());
    assert_eq!(attempts, [3, 1]);
}

struct Client(Server);

impl Client {
    #[task_pool(retry = Retry::attempts(3).backoff(WAIT), retry_if = Self::is_worth_it)]
    fn get(&self, path: &str) -> Result<String, Failure> {
        self.0.answer(path.to_owned())
    }

    fn is_worth_it(failure: &Failure) -> bool {
        failure.is_transient()
    }
}

#[test]
fn methods_can_be_tried_again() -> Result<(), AnyError> {
    let client = Client(Server::busy(2));
    Client::get_scope(|tasks| {
        tasks.submit(&client, "a");
    })?;
    assert_eq!(client.0.calls(), 3);

    static CLIENT: Client = Client(Server::busy(2));
    assert_eq!(Client::get_try_submit(&CLIENT, "b")?.join()?, "b");
    Ok(())
}

#[test]
fn a_panic_is_not_tried_again() {
    static CALLS: AtomicU32 = AtomicU32::new(0);

    #[task_pool(retry = Retry::attempts(3).backoff(WAIT))]
    fn explode(text: &str) -> Result<(), Failure> {
        CALLS.fetch_add(1, Relaxed);
        panic!("{text}")
    }
    let error = explode::submit("boom").join().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Panicked(_)));
    assert_eq!((error.attempts(), CALLS.load(Relaxed)), (1, 1));
}

#[test]
fn a_task_that_waits_takes_no_worker() {
    static ORDER: Mutex<Vec<u8>> = Mutex::new(vec![]);

    // The wait is as long as a test can be: only the stop ends it.
    #[task_pool(workers = 1, retry = Retry::attempts(2).backoff(Duration::from_secs(3600)).max_backoff(Duration::from_secs(3600)))]
    fn note(number: u8) -> Result<u8, Failure> {
        ORDER.lock().unwrap().push(number);
        if number == 0 {
            Err(Failure::Busy)
        } else {
            Ok(number)
        }
    }
    let error = note::scope(|tasks| {
        tasks.submit(0);
        tasks.submit(1);
        let done = tasks.as_completed().next();
        tasks.stop();
        assert_eq!(
            done.map(|done| done.map(|done| done.result).ok()),
            Some(Some(1))
        );
    })
    .unwrap_err();
    assert_eq!(*ORDER.lock().unwrap(), [0, 1]);
    let ScopeError::Task(error) = error else {
        panic!("not the task's: {error}")
    };
    assert!(matches!(error.kind(), TaskErrorKind::Failed(Failure::Busy)));
    assert_eq!(error.attempts(), 1);
}

/// Fails the first time for an even number, in a way that passes, and for good for an odd one.
#[task_pool(
    workers = 2,
    retry = Retry::attempts(2).backoff(Duration::from_millis(5)),
    retry_if = |error| *error == "busy"
)]
fn passes_or_not(n: u32, tried: &'static Mutex<HashSet<u32>>) -> Result<u32, &'static str> {
    match n % 2 {
        1 => Err("broken"),
        _ if tried.lock().unwrap().insert(n) => Err("busy"),
        _ => Ok(n),
    }
}

#[test]
fn a_body_in_front_of_the_one_that_leaves_the_loop_keeps_its_retries() {
    fn first_failure(from: u32) -> Result<(), TaskError<&'static str>> {
        let tried: &'static Mutex<HashSet<u32>> = Box::leak(Box::default());
        parallel_for!(
            workers = 2,
            batch = 1,
            for n in from..from + 2 {
                passes_or_not::submit(n, tried).join()?;
            }
        );
        Ok(())
    }

    for _ in 0..50 {
        let error = first_failure(0).unwrap_err();
        assert_eq!(
            error.to_string().split(": ").last(),
            Some("broken"),
            "{error}"
        );
    }
}
