//! Whether a loop has a progress bar.

#[cfg(feature = "progress")]
pub use self::with::ProgressBar;

#[cfg(feature = "progress")]
mod with {
    use std::borrow::Cow;

    /// Whether there is a progress bar, and what it is called: `progress = …`.
    ///
    /// `true` is a bar with the loop's or pool's name, a text is one with that label. It takes the cargo feature `progress`.
    ///
    /// The bar is drawn on stderr, if that is a terminal, for what takes longer than 100 ms; what is started in the body of another
    /// loop or task has one after a second, if there is room. When a loop ends, its bar is replaced by one line that says what
    /// was done. Other output has to make way: see the module [`progress`](crate::progress).
    ///
    /// # Examples
    ///
    /// ```
    /// # use futureproof_core as futureproof;
    /// use futureproof::{ParallelFor, ProgressBar};
    ///
    /// ParallelFor::new().progress("resize").for_each(0..10, |_| ());
    ///
    /// let file = "photo.png";
    /// assert_ne!(ProgressBar::from(format!("resize {file}")), ProgressBar::default());
    /// assert_eq!(ProgressBar::from(false), ProgressBar::default());
    /// ```
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct ProgressBar(Choice);

    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    enum Choice {
        #[default]
        None,
        Named,
        Labelled(Cow<'static, str>),
    }

    impl ProgressBar {
        /// No bar.
        pub(crate) const OFF: Self = Self(Choice::None);

        /// Is there to be a bar?
        pub(crate) fn is_on(&self) -> bool {
            self.0 != Choice::None
        }

        /// The label of the bar of what is called `name`, if there is to be a bar.
        pub(crate) fn label<'a>(&'a self, name: &'a str) -> Option<&'a str> {
            match &self.0 {
                Choice::None => None,
                Choice::Named => Some(name),
                Choice::Labelled(label) => Some(label),
            }
        }
    }

    impl From<bool> for ProgressBar {
        /// `true`: a bar with the name of the loop or pool; `false`: none.
        fn from(on: bool) -> Self {
            Self(if on { Choice::Named } else { Choice::None })
        }
    }

    impl From<&'static str> for ProgressBar {
        /// A bar with this label.
        fn from(label: &'static str) -> Self {
            Self(Choice::Labelled(Cow::Borrowed(label)))
        }
    }

    impl From<String> for ProgressBar {
        /// A bar with this label.
        fn from(label: String) -> Self {
            Self(Choice::Labelled(Cow::Owned(label)))
        }
    }
}

/// The option where the feature is off: it says so.
#[cfg(not(feature = "progress"))]
mod without {
    use crate::engine::ParallelFor;
    use crate::task::Configured;

    /// Implemented by nothing.
    #[doc(hidden)]
    #[diagnostic::on_unimplemented(
        message = "`progress` needs the cargo feature `progress`: `cargo add futureproof --features progress`",
        label = "the feature is not enabled"
    )]
    pub trait HasProgress {}

    impl ParallelFor<'_> {
        /// Needs the cargo feature `progress`.
        #[doc(hidden)]
        pub fn progress(self, _: impl Sized) -> Self
        where
            // The lifetime puts the question off to the call; without it rustc would ask it here.
            for<'a> &'a Self: HasProgress,
        {
            self
        }
    }

    impl<A, K, T, E> Configured<A, K, T, E> {
        /// Needs the cargo feature `progress`.
        #[doc(hidden)]
        pub fn progress(self, _: impl Sized) -> Self
        where
            for<'a> &'a Self: HasProgress,
        {
            self
        }
    }
}
