//! The 53 behaviours that the test suite of the Python library Pebble pins down, as far as they apply to threads. Each test
//! says in its comment which it is; a letter behind the number says that threads do it in another way, which the test shows.
//!
//! | number there | why it does not apply, or is different |
//! |---|---|
//! | 9, 10 what cannot be pickled | nothing is: what cannot be sent to another thread does not compile (`tests/compile-fail`) |
//! | 22, 23, 27, 29 a worker that is killed and replaced | no thread can be killed: a task is told to stop, reported at once, and keeps its thread until it returns |
//! | 24 a time limit that is no number | does not compile (`tests/compile-fail`) |
//! | 26 the limit is that of a chunk | there are no chunks: it is each task's, from its start on |
//! | 33 to 37 exit codes, pids, workers that die with a lock in hand | threads do not die alone: a panic is the failure of its task, and ends no thread |
//! | 44 joining a pool that runs is an error | there is no join to forget the close of: `drain` closes first |
//! | 48 a chunk of none | loops have `batch`; tasks are never handed out in a number that anybody has to choose |
//! | 51 a decorator that locks | `std::sync::Mutex` |
//! | 52 hooks in queues, spurious wake-ups | nothing is patched: `wait` asks the tasks themselves |
//! | 53 a decorator for signals | `StopToken::on_ctrl_c`, in `tests/ctrl_c.rs` |
//!
//! Fork, forkserver, spawn and asyncio, for which Pebble runs the same set again: there are no processes yet, and a handle is a
//! future for any runtime.

#[path = "../python_kit/mod.rs"]
mod python_kit;

mod cancel;
mod lifecycle;
mod map;
mod results;
mod timeouts;
mod wait;
mod workers;

use std::sync::mpsc::{self, Receiver};

use futureproof::TaskHandle;

/// What a callback on the end of the task has seen: the result, or the error's text.
fn seen_by_callback<T, E, K>(handle: &TaskHandle<T, E, K>) -> Receiver<Result<T, String>>
where
    T: Clone + Send + 'static,
    E: 'static,
    K: 'static,
{
    let (sender, receiver) = mpsc::channel();
    handle.on_finish(move |end| {
        let end = match end {
            Ok(task) => Ok(task.result.clone()),
            Err(error) => Err(error.to_string()),
        };
        sender.send(end).unwrap();
    });
    receiver
}
