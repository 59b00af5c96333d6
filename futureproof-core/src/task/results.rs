//! Results of tasks that borrow nothing, as an iterator of its own.

use std::fmt;
use std::iter::FusedIterator;

use super::args::IntoArgs;
use super::board::{Board, Crew};
use super::call::Call;
use super::error::{Task, TaskError};
use super::kept::Reading;
use super::queue;
use crate::policy::ErrorPolicy;
use crate::pool::{Shared, TaskPool, Work};
use crate::sync::{Arc, Weak};

/// An iterator over the results of tasks, one per item of an input: what `map` and `as_completed` return.
///
/// The workers pull the input, lazily and no further than `workers + capacity` items ahead of what has been read (more while
/// tasks are cheap, if no `capacity` was set), and start at once. Under the policy raise the first failure is the last item. If the pool is dropped before the input is
/// used up, the last item is a cancelled task.
///
/// # Cancellation
///
/// Dropping the iterator early drops the rest of the input and cancels what has not started. It does not wait: running
/// tasks finish on their threads (and can ask [`is_stopping`](crate::is_stopping)); their results are dropped, and
/// failures among them are logged under the policies raise and log.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// let halves: Result<Vec<u32>, _> = half::map([2, 4, 6]).map(|task| Ok(task?.result)).collect();
/// assert_eq!(halves?, [1, 2, 3]);
/// # Ok::<(), futureproof::TaskError<String>>(())
/// ```
#[must_use = "dropping the results cancels the tasks that have not started"]
pub struct Results<A, K, T, E> {
    stage: Arc<Stage<A, K, T, E>>,
    reading: Reading,
    done: bool,
}

/// A board that its threads keep alive.
struct Stage<A, K, T, E> {
    board: Board<'static, A, K, T, E>,
    pool: Arc<Shared>,
    me: Weak<dyn Work>,
}

impl<A: Send, K: Send, T: Send, E: Send> Work for Stage<A, K, T, E> {
    fn work(&self) {
        self.board.work(self);
    }

    fn abandon(&self) {
        self.board.abandon();
    }
}

impl<A, K, T, E> Crew for Stage<A, K, T, E> {
    fn request(&self, threads: usize) -> usize {
        let available = match self.me.upgrade() {
            Some(work) => self.pool.request(&work, threads),
            None => threads,
        };
        // A pool closed before the request does not know of it.
        if self.pool.is_closed() {
            self.board.abandon();
        }
        available
    }

    fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }
}

/// Runs the function for every item of `inputs` and returns the results in input order.
pub fn map<A, K, T, E, I>(pool: &TaskPool, call: Call<A, K, T, E>, inputs: I) -> Results<A, K, T, E>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
{
    start(pool, call, inputs, Reading::InOrder)
}

/// Runs the function for every item of `inputs` and returns the results as the tasks end.
pub fn as_completed<A, K, T, E, I>(
    pool: &TaskPool,
    call: Call<A, K, T, E>,
    inputs: I,
) -> Results<A, K, T, E>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
{
    start(pool, call, inputs, Reading::AsCompleted)
}

fn start<A, K, T, E, I>(
    pool: &TaskPool,
    call: Call<A, K, T, E>,
    inputs: I,
    reading: Reading,
) -> Results<A, K, T, E>
where
    A: Send + 'static,
    K: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    I: IntoIterator<Item: IntoArgs<A>, IntoIter: Send + 'static>,
{
    let inputs = inputs.into_iter();
    let total = match inputs.size_hint() {
        (least, Some(most)) if least == most => Some(least),
        _ => None,
    };
    let stage = Arc::new_cyclic(|me: &Weak<Stage<A, K, T, E>>| Stage {
        board: Board::new(pool.shared(), call, None, total),
        pool: pool.shared().clone(),
        me: me.clone(),
    });
    stage.board.add_input(queue::input(inputs), &*stage);
    Results {
        stage,
        reading,
        done: false,
    }
}

impl<A, K, T, E> Iterator for Results<A, K, T, E> {
    type Item = Result<Task<K, T>, TaskError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let board = &self.stage.board;
        let Some(end) = board.next(self.reading, &*self.stage) else {
            self.done = true;
            return None;
        };
        self.done = board.call.policy == ErrorPolicy::Raise && end.is_err();
        Some(board.hand_out(end))
    }
}

impl<A, K, T, E> FusedIterator for Results<A, K, T, E> {}

impl<A, K, T, E> Drop for Results<A, K, T, E> {
    fn drop(&mut self) {
        self.stage.board.walk_away();
        if let Some(work) = self.stage.me.upgrade() {
            self.stage.pool.withdraw(&work);
        }
    }
}

impl<A, K, T, E> fmt::Debug for Results<A, K, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let look = self.stage.board.look();
        f.debug_struct("Results")
            .field("name", &self.stage.board.call.name)
            .field("reading", &self.reading)
            .field("running", &look.running)
            .field("completed", &look.counts.completed)
            .field("failed", &look.counts.failed)
            .finish()
    }
}
