//! Says what an error of any type is, with what its type offers: [`Error`] with its sources, else [`Display`](fmt::Display), else
//! [`Debug`], else its name.
//!
//! The choice is made where the error's type is known, by autoref: each trait below is implemented for one more
//! reference to the probe than the next one, and method look-up takes the first that fits. See David Tolnay,
//! "Autoref-based stable specialization" (2019).

use std::any::type_name;
use std::error::Error;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::Deref;

/// What is said of an item's failure.
#[derive(Debug, Default)]
pub struct Failure {
    message: Option<String>,
    sources: Vec<String>,
}

impl Failure {
    /// Creates the failure of an item that nobody wants to hear of.
    #[must_use]
    pub fn ignored() -> Self {
        Self::default()
    }

    /// Creates a failure with a message and no sources.
    #[must_use]
    pub fn from_message(message: String) -> Self {
        Self {
            message: Some(message),
            sources: Vec::new(),
        }
    }

    /// Creates the failure of an error, with its sources.
    #[must_use]
    pub fn from_error(error: &dyn Error) -> Self {
        Self {
            message: Some(error.to_string()),
            sources: std::iter::successors(error.source(), |&error| error.source())
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// Returns what the error says of itself.
    #[must_use]
    pub fn message(&self) -> &str {
        self.message.as_deref().unwrap_or("not described")
    }
}

impl fmt::Display for Failure {
    /// Writes the message and its sources, `a: b: c`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        self.sources
            .iter()
            .try_for_each(|source| write!(f, ": {source}"))
    }
}

/// The part of a residual that says what went wrong.
pub trait Residual {
    /// The error's type.
    type Error;

    /// The error, when there is one.
    fn error(&self) -> Option<&Self::Error>;
}

impl<T, E> Residual for Result<T, E> {
    type Error = E;

    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// An error type that says nothing: of `None`.
#[derive(Debug)]
pub struct Absent;

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value was None")
    }
}

impl<T> Residual for Option<T> {
    type Error = Absent;

    fn error(&self) -> Option<&Absent> {
        Some(&Absent)
    }
}

impl<B, C> Residual for std::ops::ControlFlow<B, C> {
    type Error = B;

    fn error(&self) -> Option<&B> {
        match self {
            std::ops::ControlFlow::Break(value) => Some(value),
            std::ops::ControlFlow::Continue(_) => None,
        }
    }
}

/// The probe: `(&&&&&Describe(&residual)).__failure()`.
#[derive(Debug)]
pub struct Describe<'a, R>(pub &'a R);

/// First choice: the error is an [`Error`].
pub trait DescribeError {
    /// Describes the failure.
    fn __failure(&self) -> Failure;
}

impl<R: Residual<Error: Error>> DescribeError for &&&&Describe<'_, R> {
    fn __failure(&self) -> Failure {
        self.0
            .error()
            .map_or_else(Failure::default, |error| Failure::from_error(error))
    }
}

/// Second choice: the error is a box around an [`Error`], such as `Box<dyn Error>` or `anyhow::Error`.
pub trait DescribeDeref {
    /// Describes the failure.
    fn __failure(&self) -> Failure;
}

/// A trait object of [`Error`].
pub trait AnyError {
    /// The object.
    fn as_error(&self) -> &(dyn Error + 'static);
}

impl AnyError for dyn Error + 'static {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl AnyError for dyn Error + Send + 'static {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl AnyError for dyn Error + Send + Sync + 'static {
    fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl<R: Residual<Error: Deref<Target: AnyError>>> DescribeDeref for &&&Describe<'_, R> {
    fn __failure(&self) -> Failure {
        self.0.error().map_or_else(Failure::default, |error| {
            Failure::from_error(error.deref().as_error())
        })
    }
}

/// Third choice: the error can be displayed.
pub trait DescribeDisplay {
    /// Describes the failure.
    fn __failure(&self) -> Failure;
}

impl<R: Residual<Error: fmt::Display>> DescribeDisplay for &&Describe<'_, R> {
    fn __failure(&self) -> Failure {
        self.0.error().map_or_else(Failure::default, |error| {
            Failure::from_message(error.to_string())
        })
    }
}

/// Fourth choice: the error can be debugged.
pub trait DescribeDebug {
    /// Describes the failure.
    fn __failure(&self) -> Failure;
}

impl<R: Residual<Error: Debug>> DescribeDebug for &Describe<'_, R> {
    fn __failure(&self) -> Failure {
        self.0.error().map_or_else(Failure::default, |error| {
            Failure::from_message(format!("{error:?}"))
        })
    }
}

/// Last choice: the name of the error's type.
pub trait DescribeAny {
    /// Describes the failure.
    fn __failure(&self) -> Failure;
}

impl<R: Residual> DescribeAny for Describe<'_, R> {
    fn __failure(&self) -> Failure {
        Failure::from_message(type_name::<R::Error>().to_owned())
    }
}

/// How to show an error of type `E`, chosen like the description of a residual: for errors that are kept.
pub struct ErrorVtable<E: ?Sized> {
    pub(crate) display: fn(&E, &mut fmt::Formatter<'_>) -> fmt::Result,
    /// The error's own source.
    pub(crate) source: fn(&E) -> Option<&(dyn Error + 'static)>,
}

impl<E: ?Sized> Clone for ErrorVtable<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: ?Sized> Copy for ErrorVtable<E> {}

impl<E: ?Sized> Debug for ErrorVtable<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErrorVtable")
    }
}

/// The probe of a type: `(&&&&&DescribeType::<E>::new()).vtable()`.
#[derive(Debug)]
pub struct DescribeType<E: ?Sized>(PhantomData<fn(&E)>);

impl<E: ?Sized> DescribeType<E> {
    /// Creates the probe.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// First choice: `E` is an [`Error`].
pub trait VtableError<E> {
    /// How to show it.
    fn vtable(&self) -> ErrorVtable<E>;
}

impl<E: Error> VtableError<E> for &&&&DescribeType<E> {
    fn vtable(&self) -> ErrorVtable<E> {
        ErrorVtable {
            display: |error, f| fmt::Display::fmt(error, f),
            source: |error| error.source(),
        }
    }
}

/// Second choice: `E` is a box around an [`Error`].
pub trait VtableDeref<E> {
    /// How to show it.
    fn vtable(&self) -> ErrorVtable<E>;
}

impl<E: Deref<Target: AnyError>> VtableDeref<E> for &&&DescribeType<E> {
    fn vtable(&self) -> ErrorVtable<E> {
        ErrorVtable {
            display: |error, f| fmt::Display::fmt(error.deref().as_error(), f),
            source: |error| error.deref().as_error().source(),
        }
    }
}

/// Third choice: `E` can be displayed.
pub trait VtableDisplay<E> {
    /// How to show it.
    fn vtable(&self) -> ErrorVtable<E>;
}

impl<E: fmt::Display> VtableDisplay<E> for &&DescribeType<E> {
    fn vtable(&self) -> ErrorVtable<E> {
        ErrorVtable {
            display: |error, f| fmt::Display::fmt(error, f),
            source: |_| None,
        }
    }
}

/// Fourth choice: `E` can be debugged.
pub trait VtableDebug<E> {
    /// How to show it.
    fn vtable(&self) -> ErrorVtable<E>;
}

impl<E: Debug> VtableDebug<E> for &DescribeType<E> {
    fn vtable(&self) -> ErrorVtable<E> {
        ErrorVtable {
            display: |error, f| Debug::fmt(error, f),
            source: |_| None,
        }
    }
}

/// Last choice: the name of `E`.
pub trait VtableAny<E> {
    /// How to show it.
    fn vtable(&self) -> ErrorVtable<E>;
}

impl<E> VtableAny<E> for DescribeType<E> {
    fn vtable(&self) -> ErrorVtable<E> {
        ErrorVtable {
            display: |_, f| f.write_str(type_name::<E>()),
            source: |_| None,
        }
    }
}
