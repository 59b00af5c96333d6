//! The text of a call, and the copies of its arguments: small pieces for the expansion of `#[task_pool]`.

use std::fmt::{self, Debug, Write};

use crate::unwind;

/// Longer arguments are cut in a call's text.
const LONGEST_ARGUMENT: usize = 200;

/// An argument as far as it can be shown.
pub type Shown<'a> = Option<&'a dyn Debug>;

/// The probe of an argument, chosen by autoref: `(&Show(&argument)).show()`.
#[derive(Debug)]
pub struct Show<'a, T: ?Sized>(pub &'a T);

/// First choice: the argument is [`Debug`].
pub trait ShowDebug {
    /// The argument.
    fn show(&self) -> Shown<'_>;
}

impl<T: Debug> ShowDebug for Show<'_, T> {
    fn show(&self) -> Shown<'_> {
        Some(self.0)
    }
}

/// Second choice: nothing can be said of the argument.
pub trait ShowOpaque {
    /// Nothing.
    fn show(&self) -> Shown<'_>;
}

impl<T: ?Sized> ShowOpaque for &Show<'_, T> {
    fn show(&self) -> Shown<'_> {
        None
    }
}

/// The text of a call: `name(first, second)`, with `_` for what cannot be shown.
#[must_use]
pub fn call_text(name: &'static str, arguments: &[Shown<'_>]) -> String {
    let mut text = String::from(name);
    text.push('(');
    for (position, argument) in arguments.iter().enumerate() {
        if position > 0 {
            text.push_str(", ");
        }
        match argument {
            None => text.push('_'),
            Some(argument) => write_argument(&mut text, *argument),
        }
    }
    text.push(')');
    text
}

fn write_argument(text: &mut String, argument: &dyn Debug) {
    let mut cut = Cut {
        text: String::new(),
        room: LONGEST_ARGUMENT,
    };
    // The cut stops `Debug` with an error, so that a huge argument costs no more than what is shown of it.
    match unwind::catch(|| write!(cut, "{argument:?}")) {
        Ok(Ok(())) => text.push_str(&cut.text),
        Ok(Err(_)) => {
            text.push_str(&cut.text);
            text.push('…');
        }
        Err(payload) => {
            unwind::discard(payload);
            text.push('_');
        }
    }
}

/// Takes characters until it is full.
struct Cut {
    text: String,
    room: usize,
}

impl Write for Cut {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        for character in piece.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}

/// An argument that is kept for `Task::args`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept for `Task::args`: it is not `Clone`",
    label = "not `Clone`",
    note = "write `#[task_pool(keep_args = false)]`: results then come without their arguments"
)]
pub trait KeptArg: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> KeptArg for T {}

/// Copies an argument for `Task::args`.
pub fn keep<T: KeptArg>(argument: &T) -> T {
    argument.clone()
}

/// An argument that is cloned for each attempt.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed to another attempt: it is not `Clone`",
    label = "not `Clone`",
    note = "`retry` gives each attempt a clone of the arguments: make it `Clone`, put it into an `Arc`, or remove `retry`"
)]
pub trait RetriedArg: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> RetriedArg for T {}

/// Copies an argument for one attempt.
pub fn again<T: RetriedArg>(argument: &T) -> T {
    argument.clone()
}

#[cfg(test)]
// The extra `&` is how the macro writes it: it makes the choice.
#[allow(clippy::needless_borrow)]
mod tests {
    use super::*;

    struct Opaque;

    struct Rude;

    impl Debug for Rude {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("not showing anything")
        }
    }

    #[test]
    fn call_text_shows_what_can_be_shown() {
        let (a, b, c) = ("x", Opaque, Rude);
        let text = call_text(
            "load",
            &[(&Show(&a)).show(), (&Show(&b)).show(), (&Show(&c)).show()],
        );
        assert_eq!(text, r#"load("x", _, _)"#);
    }

    #[test]
    fn call_text_cuts_long_arguments() {
        let long = "a".repeat(10_000);
        let text = call_text("f", &[(&Show(&long)).show()]);
        assert!(text.ends_with("…)"), "{text}");
        assert_eq!(
            text.chars().count(),
            "f(".len() + LONGEST_ARGUMENT + "…)".chars().count()
        );
    }
}
