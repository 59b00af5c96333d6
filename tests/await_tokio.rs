//! Handles of submitted tasks in async code, on both of tokio's runtimes.

use std::convert::Infallible as Never;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;

use futureproof::{Retry, TaskError, TaskErrorKind, TaskHandle, is_stopping, task_pool};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const MS: Duration = Duration::from_millis(1);

/// Calls `test` with both runtimes; ends the process if it takes as long as only a hang does.
fn on_both_runtimes(test: impl Fn(&Runtime)) {
    let (done, watch) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if watch.recv_timeout(Duration::from_secs(300)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the test hangs");
            std::process::abort();
        }
    });
    test(&Builder::new_current_thread().enable_time().build().unwrap());
    let mut several = Builder::new_multi_thread();
    test(&several.worker_threads(2).enable_time().build().unwrap());
    drop(done);
    watchdog.join().unwrap();
}

/// A door that tasks wait at until it is opened.
#[derive(Debug, Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let is_closed = |open: &mut bool| !*open;
        drop(
            self.0
                .1
                .wait_while(self.0.0.lock().unwrap(), is_closed)
                .unwrap(),
        );
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Odd(u64);

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is odd", self.0)
    }
}

impl std::error::Error for Odd {}

#[task_pool(workers = 2, capacity = 10_000)]
fn half(n: u64) -> Result<u64, Odd> {
    if n.is_multiple_of(2) {
        Ok(n / 2)
    } else {
        Err(Odd(n))
    }
}

/// Waits at the door, and gives the number.
#[task_pool(workers = 16, capacity = 10_000)]
fn behind(door: Door, n: u64) -> u64 {
    door.wait();
    n
}

/// Works until it is told to stop.
#[task_pool(workers = 16, capacity = 10_000)]
fn patient(started: mpsc::Sender<()>) -> bool {
    started.send(()).unwrap();
    while !is_stopping() {
        std::thread::yield_now();
    }
    true
}

#[test]
fn results_errors_and_panics_are_awaited() {
    #[task_pool(workers = 1)]
    fn never() {
        panic!("never");
    }

    on_both_runtimes(|runtime| {
        runtime.block_on(async {
            for n in 0..100 {
                assert_eq!(half::submit(2 * n).await.unwrap(), n);
            }
            let error = half::submit(3).await.unwrap_err();
            assert!(matches!(error.into_kind(), TaskErrorKind::Failed(Odd(3))));
            let error = never::submit().await.unwrap_err();
            assert!(matches!(error.into_kind(), TaskErrorKind::Panicked(_)));
        });
    });
}

#[test]
fn the_question_mark_works_on_an_awaited_handle() {
    async fn quarter(n: u64) -> Result<u64, Box<dyn std::error::Error>> {
        Ok(half::submit(half::submit(n).await?).await?)
    }

    on_both_runtimes(|runtime| {
        assert_eq!(runtime.block_on(quarter(12)).unwrap(), 3);
        let error = runtime.block_on(quarter(6)).unwrap_err();
        assert!(
            error.to_string().contains("half(3) failed: 3 is odd"),
            "{error}"
        );
    });
}

#[test]
fn awaiting_does_not_block_the_runtime() {
    on_both_runtimes(|runtime| {
        let door = Door::default();
        let opener = door.clone();
        let result = runtime.block_on(async {
            let handle = behind::submit(door.clone(), 7);
            let opener = tokio::spawn(async move { opener.open() });
            let result = handle.await.unwrap();
            opener.await.unwrap();
            result
        });
        assert_eq!(result, 7);
    });
}

/// Awaits all futures on one task of the runtime.
async fn join_all<F: Future + Unpin>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.into_iter().map(Ok::<F, F::Output>).collect();
    poll_fn(|polling| {
        let mut all = Poll::Ready(());
        for future in &mut pending {
            let Ok(inner) = future else { continue };
            match Pin::new(inner).poll(polling) {
                Poll::Ready(output) => *future = Err(output),
                Poll::Pending => all = Poll::Pending,
            }
        }
        all
    })
    .await;
    pending.into_iter().filter_map(Result::err).collect()
}

#[test]
fn many_handles_are_awaited_together_on_one_task_and_on_many() {
    on_both_runtimes(|runtime| {
        runtime.block_on(async {
            let ends = join_all((0..1000).map(half::submit)).await;
            assert_eq!(ends.len(), 1000);
            for (n, end) in (0..).zip(ends) {
                assert_eq!(end.ok(), (n % 2 == 0).then_some(n / 2));
            }
            let mut tasks = JoinSet::new();
            for n in 0..1000 {
                tasks.spawn(half::submit(2 * n));
            }
            let mut sum = 0;
            while let Some(end) = tasks.join_next().await {
                sum += end.unwrap().unwrap();
            }
            assert_eq!(sum, 499_500);
        });
    });
}

#[test]
fn the_loser_of_a_select_goes_on_though_its_future_is_dropped() {
    on_both_runtimes(|runtime| {
        let door = Door::default();
        let (sender, ends) = mpsc::channel();
        runtime.block_on(async {
            let slow = behind::submit(door.clone(), 1);
            slow.on_finish(move |end| sender.send(end.as_ref().unwrap().result).unwrap());
            tokio::select! {
                _ = slow => panic!("behind a closed door"),
                fast = half::submit(8) => assert_eq!(fast.unwrap(), 4),
            }
        });
        door.open();
        assert_eq!(ends.recv(), Ok(1));
    });
}

#[test]
fn a_handle_that_lost_a_select_can_be_awaited_again() {
    on_both_runtimes(|runtime| {
        runtime.block_on(async {
            let door = Door::default();
            let mut slow = behind::submit(door.clone(), 1);
            for n in 0..50 {
                tokio::select! {
                    biased;
                    _ = &mut slow => panic!("behind a closed door"),
                    fast = half::submit(2 * n) => assert_eq!(fast.unwrap(), n),
                }
            }
            door.open();
            assert_eq!(slow.await.unwrap(), 1);
        });
    });
}

#[test]
fn after_a_timeout_the_task_can_be_stopped_and_its_end_awaited() {
    on_both_runtimes(|runtime| {
        runtime.block_on(async {
            let (sender, started) = mpsc::channel();
            let mut handle = patient::submit(sender);
            tokio::time::timeout(MS, &mut handle).await.unwrap_err();
            assert!(!handle.is_finished());
            // It may be one that has not started.
            let has_started = started.try_recv().is_ok();
            handle.stop();
            match handle.await {
                Ok(told) => assert!(told),
                Err(error) => assert!(error.is_cancelled() && !has_started),
            }
        });
    });
}

#[test]
fn a_timeout_that_owns_the_handle_drops_it_and_the_task_goes_on() {
    on_both_runtimes(|runtime| {
        let door = Door::default();
        let (sender, ends) = mpsc::channel();
        runtime.block_on(async {
            let handle = behind::submit(door.clone(), 3);
            handle.on_finish(move |end| sender.send(end.as_ref().unwrap().result).unwrap());
            tokio::time::timeout(MS, handle).await.unwrap_err();
        });
        door.open();
        assert_eq!(ends.recv(), Ok(3));
    });
}

#[test]
fn a_cancel_a_stop_and_the_tasks_own_time_limit_wake_who_awaits() {
    #[task_pool(workers = 1, capacity = 100)]
    fn alone(door: Door) {
        door.wait();
    }

    /// Awaits the end of a handle that others use meanwhile.
    async fn end(shared: &Mutex<TaskHandle<(), Never, (Door,)>>) -> Result<(), TaskError<Never>> {
        poll_fn(|polling| Pin::new(&mut *shared.lock().unwrap()).poll(polling)).await
    }

    on_both_runtimes(|runtime| {
        let (door, stuck) = (Door::default(), Door::default());
        runtime.block_on(async {
            let busy = alone::submit(door.clone());
            let queued = [(); 2].map(|()| Arc::new(Mutex::new(alone::submit(door.clone()))));
            let others = queued.clone();
            tokio::spawn(async move {
                assert!(others[0].lock().unwrap().cancel());
                others[1].lock().unwrap().stop();
            });
            for handle in queued {
                assert!(end(&handle).await.unwrap_err().is_cancelled());
            }
            door.open();
            busy.await.unwrap();
            let limited = behind::configure().timeout(MS).submit(stuck.clone(), 1);
            assert!(limited.await.unwrap_err().is_timed_out());
        });
        stuck.open();
    });
}

#[test]
fn attempts_that_wait_wake_nobody_until_there_is_an_end() {
    #[task_pool(workers = 2)]
    fn third_time(calls: Arc<Mutex<u64>>) -> Result<u64, Odd> {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        if *calls < 3 {
            Err(Odd(*calls))
        } else {
            Ok(*calls)
        }
    }

    on_both_runtimes(|runtime| {
        runtime.block_on(async {
            let retry = Retry::attempts(5).backoff(MS);
            let handles =
                (0..50).map(|_| third_time::configure().retry(retry).submit(Arc::default()));
            for end in join_all(handles).await {
                assert_eq!(end.unwrap(), 3);
            }
        });
    });
}
