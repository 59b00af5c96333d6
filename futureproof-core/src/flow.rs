//! How one item's body ends, and the small typed pieces that the expansion of `parallel_for!` is made of.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::ControlFlow;

use crate::describe::Failure;
use crate::report::Report;

/// The type of an exit that cannot be.
pub type Never = Infallible;

/// How the body of a loop ended for one item.
#[derive(Debug)]
pub enum Flow<X> {
    /// The loop goes on.
    Next,
    /// `break` out of this loop.
    Break,
    /// An exit that leaves this loop for somewhere else, with what it carries.
    Exit(X),
    /// The item failed and the policy says to go on.
    Failed(Failure),
}

impl<X> Flow<X> {
    /// What an item's span says of it.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Next => "completed",
            Self::Break | Self::Exit(_) => "left",
            Self::Failed(_) => "failed",
        }
    }
}

/// How a loop with exits ended.
#[derive(Debug)]
pub enum Outcome<X> {
    /// The loop went to its end, was left by `break`, or was stopped.
    Ended(Report),
    /// An item left the loop.
    Exited(X),
}

/// The types that `?` works on inside a parallel loop.
#[diagnostic::on_unimplemented(
    message = "the `?` operator in a parallel loop can only be applied to a `Result`, an `Option` or a `ControlFlow`",
    label = "`?` cannot be applied to type `{Self}`"
)]
pub trait Try {
    /// What `?` evaluates to.
    type Output;
    /// What `?` takes out of the loop; applying the real `?` to it outside leaves the function.
    type Residual;

    /// Splits the two.
    fn branch(self) -> ControlFlow<Self::Residual, Self::Output>;
}

/// Stands for `?` in a loop that does not compile, so that the compiler has nothing to say of that.
pub fn untried<T: Try>(value: T) -> T::Output {
    match value.branch() {
        ControlFlow::Continue(output) => output,
        ControlFlow::Break(_) => unreachable!("a loop that does not compile does not run"),
    }
}

impl<T, E> Try for Result<T, E> {
    type Output = T;
    type Residual = Result<Never, E>;

    #[inline]
    fn branch(self) -> ControlFlow<Self::Residual, T> {
        match self {
            Ok(value) => ControlFlow::Continue(value),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    }
}

impl<T> Try for Option<T> {
    type Output = T;
    type Residual = Option<Never>;

    #[inline]
    fn branch(self) -> ControlFlow<Self::Residual, T> {
        match self {
            Some(value) => ControlFlow::Continue(value),
            None => ControlFlow::Break(None),
        }
    }
}

impl<B, C> Try for ControlFlow<B, C> {
    type Output = C;
    type Residual = ControlFlow<B, Never>;

    #[inline]
    fn branch(self) -> ControlFlow<Self::Residual, C> {
        match self {
            ControlFlow::Continue(value) => ControlFlow::Continue(value),
            ControlFlow::Break(value) => ControlFlow::Break(ControlFlow::Break(value)),
        }
    }
}

/// Ties the type of a value that leaves a loop to the type the function expects there.
///
/// `if false { return hole.take(); }` in the function makes `T` its return type before the body is checked, so that
/// `hole.fill(value)` in the body gives `value` the expectation, and the coercions, of a plain `return value`.
#[derive(Debug)]
pub struct Hole<T>(PhantomData<fn(T) -> T>);

impl<T> Clone for Hole<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Hole<T> {}

impl<T> Hole<T> {
    /// Creates a hole for a type that is still to be inferred.
    #[allow(clippy::new_without_default)]
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }

    /// Stands where the value will leave; the expansion never runs it.
    #[must_use]
    pub fn take(self) -> T {
        unreachable!("a hole is only there for its type")
    }

    /// Passes `value` on.
    #[inline]
    pub fn fill(self, value: T) -> T {
        value
    }
}

/// Passes a value on that is about to leave its thread.
#[inline]
pub fn send<T: Send>(value: T) -> T {
    value
}

/// Runs a macro that hides a `return Err(…)`, such as `bail!`.
///
/// # Errors
///
/// Whatever the macro returned.
#[inline]
pub fn broke<E>(body: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    body()
}
