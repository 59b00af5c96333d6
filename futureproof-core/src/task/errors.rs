//! Several failures at once.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::slice;
use std::vec;

use super::error::TaskError;

/// The failures of several tasks, in call order: what a scope returns under `raise_after = N` where more than one failed.
///
/// # Examples
///
/// ```
#[doc = include_str!("example.md")]
/// use futureproof::ScopeError;
///
/// let outcome = half::configure().raise_after(2).scope(|tasks| {
///     tasks.map([2, 3, 4, 5, 6]);
/// });
/// let Err(ScopeError::Tasks(errors)) = outcome else { panic!("{outcome:?}") };
/// let calls: Vec<_> = errors.iter().filter_map(|error| error.call()).collect();
/// assert_eq!(calls, ["half(3)", "half(5)"]);
/// assert_eq!((errors.len(), errors.as_slice()[0].index()), (2, 1));
/// for error in errors.into_vec() {
///     println!("{error}");
/// }
/// ```
pub struct TaskErrors<E = Infallible> {
    /// Never empty.
    errors: Vec<TaskError<E>>,
}

impl<E> TaskErrors<E> {
    pub(super) fn new(errors: Vec<TaskError<E>>) -> Self {
        debug_assert!(!errors.is_empty());
        Self { errors }
    }

    /// Returns an iterator over the errors, in call order.
    pub fn iter(&self) -> slice::Iter<'_, TaskError<E>> {
        self.errors.iter()
    }

    /// Returns how many there are.
    #[must_use]
    // There is no `is_empty`: it never is.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.errors.len()
    }

    /// Returns the errors as a slice, in call order.
    #[must_use]
    pub fn as_slice(&self) -> &[TaskError<E>] {
        &self.errors
    }

    /// Takes the errors out, in call order.
    #[must_use]
    pub fn into_vec(self) -> Vec<TaskError<E>> {
        self.errors
    }
}

impl<E> IntoIterator for TaskErrors<E> {
    type Item = TaskError<E>;
    type IntoIter = vec::IntoIter<TaskError<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a TaskErrors<E> {
    type Item = &'a TaskError<E>;
    type IntoIter = slice::Iter<'a, TaskError<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E> fmt::Debug for TaskErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.errors).finish()
    }
}

impl<E> fmt::Display for TaskErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tasks failed; the first: {}",
            self.errors.len(),
            self.errors[0]
        )
    }
}

impl<E> Error for TaskErrors<E> {
    /// The source of the first error.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.errors[0].source()
    }
}
