//! What comes out of a scope that went wrong.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use super::error::TaskError;
use super::errors::TaskErrors;
use crate::stop::Stopped;

/// The error of a scope.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::ScopeError;
///
/// let result = half::scope(|tasks| {
///     tasks.submit(3);
/// });
/// match &result {
///     Err(ScopeError::Task(error)) => assert_eq!(error.call(), Some("half(3)")),
///     other => panic!("{other:?}"),
/// }
///
/// // Where it does not matter whether there was one or there were several:
/// let error = result.unwrap_err();
/// assert_eq!(error.as_task().map(|task| task.index()), Some(0));
/// assert_eq!(error.task_errors().len(), 1);
/// ```
#[non_exhaustive]
pub enum ScopeError<E = Infallible> {
    /// A task failed, and the policy or the closure made that the scope's error.
    Task(TaskError<E>),
    /// Several tasks failed, where `raise_after` lets more than one.
    Tasks(TaskErrors<E>),
    /// The stop token or the deadline of the scope kept tasks from being run; nothing else went wrong.
    Stopped(Stopped),
    /// The closure's own error.
    Body(Box<dyn Error + Send + Sync>),
}

impl<E> ScopeError<E> {
    /// Returns the task's error, if it is one; of several, the first.
    #[must_use]
    pub fn as_task(&self) -> Option<&TaskError<E>> {
        self.task_errors().first()
    }

    /// Returns the errors of all tasks that are in it, in call order.
    #[must_use]
    pub fn task_errors(&self) -> &[TaskError<E>] {
        match self {
            Self::Task(error) => std::slice::from_ref(error),
            Self::Tasks(errors) => errors.as_slice(),
            Self::Stopped(_) | Self::Body(_) => &[],
        }
    }
}

impl<E> fmt::Debug for ScopeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(error) => f.debug_tuple("Task").field(error).finish(),
            Self::Tasks(errors) => f.debug_tuple("Tasks").field(errors).finish(),
            Self::Stopped(stopped) => f.debug_tuple("Stopped").field(stopped).finish(),
            Self::Body(error) => f.debug_tuple("Body").field(error).finish(),
        }
    }
}

impl<E> fmt::Display for ScopeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(error) => error.fmt(f),
            Self::Tasks(errors) => errors.fmt(f),
            Self::Stopped(stopped) => stopped.fmt(f),
            Self::Body(error) => error.fmt(f),
        }
    }
}

impl<E> Error for ScopeError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Task(error) => error.source(),
            Self::Tasks(errors) => errors.source(),
            Self::Stopped(_) => None,
            Self::Body(error) => error.source(),
        }
    }
}
