//! What happens when an item or a task fails.

use std::fmt;
use std::str::FromStr;

/// Says what a failure (an error or a panic) does to a loop or a task pool.
///
/// In the macros the policy is usually written as a string, `error_policy = "log"`.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::ErrorPolicy;
///
/// let policy: ErrorPolicy = "log".parse()?;
/// assert_eq!(policy, ErrorPolicy::Log);
/// assert_eq!(ErrorPolicy::default(), ErrorPolicy::Raise);
/// # Ok::<(), futureproof::UnknownErrorPolicy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ErrorPolicy {
    /// The first failure ends everything and reaches the caller.
    #[default]
    Raise,
    /// A failure is counted and logged as one `ERROR` event; the rest goes on.
    Log,
    /// A failure is counted; the rest goes on.
    Ignore,
}

impl ErrorPolicy {
    /// Returns the name that the macros and [`FromStr`] use.
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// assert_eq!(futureproof::ErrorPolicy::Ignore.as_str(), "ignore");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raise => "raise",
            Self::Log => "log",
            Self::Ignore => "ignore",
        }
    }
}

impl fmt::Display for ErrorPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorPolicy {
    type Err = UnknownErrorPolicy;

    /// Reads a policy's name, in any case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Raise, Self::Log, Self::Ignore]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownErrorPolicy { name: name.into() })
    }
}

/// The error of reading an [`ErrorPolicy`] from a name that is none.
///
/// # Examples
///
/// ```
/// # use futureproof_core as futureproof;
/// use futureproof::ErrorPolicy;
///
/// let error = "rise".parse::<ErrorPolicy>().unwrap_err();
/// assert_eq!(error.to_string(), r#"unknown error policy "rise"; it must be "raise", "log" or "ignore""#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownErrorPolicy {
    name: String,
}

impl fmt::Display for UnknownErrorPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"unknown error policy {:?}; it must be "raise", "log" or "ignore""#,
            self.name
        )
    }
}

impl std::error::Error for UnknownErrorPolicy {}
