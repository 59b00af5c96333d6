//! Scopes: a task manager for one call, which joins before it returns.

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use super::board::Board;
use super::call::{Call, drop_quietly};
use super::error::{Inner, TaskError};
use super::errors::TaskErrors;
use super::home::Home;
use super::manager::TaskManager;
use super::scope_error::ScopeError;
use crate::pool::{Shared, TaskPool};
use crate::raw::lend::{Lease, Purpose, Visit, lend};
use crate::sync::{Arc, panic};
use crate::unwind;

/// Runs `body` with a task manager for the function that `call` describes, and joins its tasks.
///
/// If `body` fails or panics, tasks that have not started are cancelled. In any case the scope waits for those that are
/// running. Tasks that `body` did not wait for run to their end.
///
/// # Errors
///
/// The error that `body` returned; else, under the policy raise, the failure that ended everything; else the stop or the
/// deadline that kept tasks from being run.
///
/// # Panics
///
/// Goes on with the panic of `body`.
pub fn scope<'env, A, K, T, E, F, O>(
    pool: &TaskPool,
    call: Call<A, K, T, E>,
    body: F,
) -> Result<O::Value, ScopeError<E>>
where
    A: Send,
    K: Send,
    T: Send,
    E: Send,
    F: FnOnce(&TaskManager<'env, A, K, T, E>) -> O,
    O: ScopeOutput<E>,
{
    scope_on(pool.shared(), call, body)
}

pub(super) fn scope_on<'env, A, K, T, E, F, O>(
    pool: &Arc<Shared>,
    call: Call<A, K, T, E>,
    body: F,
) -> Result<O::Value, ScopeError<E>>
where
    A: Send,
    K: Send,
    T: Send,
    E: Send,
    F: FnOnce(&TaskManager<'env, A, K, T, E>) -> O,
    O: ScopeOutput<E>,
{
    let home = Arc::new(Home::new(call.raise_after() > 1));
    let manager = TaskManager::new(Board::new(pool, call, Some(home.clone()), None));
    let board = manager.board();
    let visit = |lease: &Lease, why: Visit| match why {
        Visit::Work => board.work(lease),
        Visit::Alarm => board.ring(lease),
        Visit::Abandon => board.abandon(),
        Visit::Alone(threads) => board.nobody_comes(threads),
    };
    let outcome = lend(pool, Purpose::Tasks, &visit, |lease| {
        manager.hire(lease);
        board.begin(lease);
        let outcome = unwind::catch(|| body(&manager).into_outcome());
        if !matches!(outcome, Ok(Ok(_))) {
            board.stop();
        }
        board.join(lease);
        board.dismiss();
        board.end(lease);
        outcome
    });
    let settled = match outcome {
        Ok(Ok(value)) => Ok(match (several(board.failures()), board.stopped_by()) {
            (Some(error), _) => Err(error),
            (None, Some(stopped)) => Err(ScopeError::Stopped(stopped)),
            (None, None) => Ok(value),
        }),
        Ok(Err(failure)) => Ok(Err(failure.settle(board, &home))),
        Err(payload) => Err(payload),
    };
    // Whatever was returned instead, no failure goes unseen.
    for unseen in home.close() {
        board.tell_unread(Some(unseen));
    }
    board.end_watch(match &settled {
        Ok(Ok(_) | Err(ScopeError::Stopped(_))) => None,
        Ok(Err(_)) => Some("left"),
        Err(_) => Some("panic"),
    });
    settled.unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// The scope's error for these failures.
fn several<E>(failures: Vec<Box<Inner<E>>>) -> Option<ScopeError<E>> {
    let mut errors: Vec<_> = (failures.into_iter())
        .map(|inner| TaskError::new(inner, None))
        .collect();
    match errors.len() {
        0 | 1 => errors.pop().map(ScopeError::Task),
        _ => Some(ScopeError::Tasks(TaskErrors::new(errors))),
    }
}

/// What the closure of a scope may return: nothing, or a `Result` whose error is a [`ScopeFailure`].
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// // A closure that returns nothing, and one that returns a `Result`.
/// half::scope(|tasks| {
///     tasks.submit(2);
/// })?;
/// let completed = half::scope(|tasks| {
///     tasks.submit(2);
///     Ok(tasks.run()?.completed())
/// })?;
/// assert_eq!(completed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "the closure of a task scope must return `()` or a `Result` whose error is a `ScopeFailure`, not `{Self}`",
    label = "this scope's closure returns `{Self}`",
    note = "for an error, write `Err(ScopeFailure::new(…))`, or let `?` convert it",
    note = "else end the closure with `Ok(value)`, or with a `;`; a closure that never returns needs a value too"
)]
pub trait ScopeOutput<E>: Sized {
    /// What the scope returns when all went well.
    type Value;

    /// The closure's outcome.
    fn into_outcome(self) -> Result<Self::Value, ScopeFailure<E>>;
}

impl<E> ScopeOutput<E> for () {
    type Value = ();

    fn into_outcome(self) -> Result<(), ScopeFailure<E>> {
        Ok(())
    }
}

impl<E, R> ScopeOutput<E> for Result<R, ScopeFailure<E>> {
    type Value = R;

    fn into_outcome(self) -> Self {
        self
    }
}

/// Any error inside the closure of a scope: what `?` turns errors into there.
///
/// A [`TaskError`] of the scope comes out of the scope as [`ScopeError::Task`], everything else as
/// [`ScopeError::Body`]. For errors that `?` does not take, see [`ScopeFailure::new`] and [`ScopeFailure::task`].
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::ScopeFailure;
///
/// let result = half::scope(|tasks| {
///     tasks.submit("84".parse()?);
///     tasks.run()?;
///     Err::<(), _>(ScopeFailure::new("a message"))
/// });
/// assert_eq!(result.unwrap_err().to_string(), "a message");
///
/// let result = half::scope(|tasks| {
///     tasks.submit(3);
///     tasks.run().map_err(ScopeFailure::task)?; // for errors that borrow; here `?` alone does
///     Ok(())
/// });
/// assert_eq!(result.unwrap_err().to_string(), "task 0: half(3) failed: 3 is odd");
/// ```
pub struct ScopeFailure<E = Infallible> {
    cause: Cause<E>,
    error: PhantomData<fn() -> E>,
}

enum Cause<E> {
    /// Known to be a task's.
    Task(TaskError<E>),
    /// Anything; `named` when its type has the name of this scope's `TaskError`.
    Any {
        error: Box<dyn Error + Send + Sync>,
        named: bool,
    },
}

impl<E> ScopeFailure<E> {
    /// Takes any error or message: `.map_err(ScopeFailure::new)?`, also for errors boxed as `Box<dyn Error + Send + Sync>`.
    ///
    /// Of a `Box<dyn Error>` it takes the text: `.map_err(|error| ScopeFailure::new(error.to_string()))?`.
    #[must_use]
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::from_cause(Cause::Any {
            error: error.into(),
            named: false,
        })
    }

    /// Takes a task's error whose `E` borrows or is not `Sync`: `.map_err(ScopeFailure::task)?`.
    #[must_use]
    pub fn task(error: TaskError<E>) -> Self {
        Self::from_cause(Cause::Task(error))
    }

    fn from_cause(cause: Cause<E>) -> Self {
        Self {
            cause,
            error: PhantomData,
        }
    }

    /// The error that the scope returns for this one.
    fn settle<A, K, T>(self, board: &Board<'_, A, K, T, E>, home: &Home<E>) -> ScopeError<E> {
        let caught = match self.cause {
            Cause::Task(error) => error.into_inner(),
            // `E` may borrow, so there is no downcast; but an error of this scope comes home when it is dropped.
            Cause::Any { error, named: true } if home.has_any_out() => {
                let text = error.to_string();
                match home.catch(error) {
                    Some(caught) => caught,
                    // It was another scope's, while one of this scope's is somewhere else.
                    None => return ScopeError::Body(text.into()),
                }
            }
            Cause::Any { error, .. } => return ScopeError::Body(error),
        };
        let failures = among(board.failures(), caught, board);
        several(failures).expect("at least the one that was caught")
    }
}

/// Of the error that the closure returned and the failures of the scope, those to return: the failures, unless the closure has
/// kept the first one to itself.
fn among<A, K, T, E>(
    mut failures: Vec<Box<Inner<E>>>,
    caught: Box<Inner<E>>,
    board: &Board<'_, A, K, T, E>,
) -> Vec<Box<Inner<E>>> {
    let own = (failures.iter_mut()).find(|failure| failure.order == caught.order);
    if let Some(own) = own {
        *own = caught;
        return failures;
    }
    if !failures.iter().any(|failure| failure.is_failure()) {
        return vec![caught];
    }
    // Nobody but the scope's own `?` has seen it.
    if caught.is_failure() {
        board.tell_unread(Some(caught));
    } else {
        drop_quietly(caught);
    }
    failures
}

impl<E, X: Error + Send + Sync + 'static> From<X> for ScopeFailure<E> {
    fn from(error: X) -> Self {
        Self::from_cause(Cause::Any {
            named: type_name::<X>() == type_name::<TaskError<E>>(),
            error: Box::new(error),
        })
    }
}

impl<E> fmt::Debug for ScopeFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Task(error) => error.fmt(f),
            Cause::Any { error, .. } => error.fmt(f),
        }
    }
}

impl<E> fmt::Display for ScopeFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Task(error) => error.fmt(f),
            Cause::Any { error, .. } => error.fmt(f),
        }
    }
}
