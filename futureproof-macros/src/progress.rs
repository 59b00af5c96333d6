//! What both macros say of `progress = …`.

use syn::{Ident, Lit};

/// Whether there are progress bars. Unit tests have them, whatever features they are built with.
const AVAILABLE: bool = cfg!(any(feature = "progress", test));

/// Checks the option called `name`, and its value as far as that is a literal.
pub(crate) fn check(name: &Ident, literal: Option<&Lit>) -> syn::Result<()> {
    check_where(AVAILABLE, name, literal)
}

fn check_where(available: bool, name: &Ident, literal: Option<&Lit>) -> syn::Result<()> {
    if !available {
        return Err(syn::Error::new(
            name.span(),
            "`progress` needs the cargo feature `progress`: `cargo add futureproof --features progress`",
        ));
    }
    match literal {
        None | Some(Lit::Bool(_) | Lit::Str(_)) => Ok(()),
        Some(other) => Err(syn::Error::new(
            other.span(),
            "`progress` is `true`, `false` or a label for the bar; write `progress = true` or `progress = \"pages\"`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn message(available: bool, literal: &str) -> Option<String> {
        let name = Ident::new("progress", Span::call_site());
        let literal: Lit = syn::parse_str(literal).unwrap();
        let checked = check_where(available, &name, Some(&literal));
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn a_bar_is_on_or_off_or_has_a_label() {
        for right in ["true", "false", "\"pages\""] {
            assert_eq!(message(true, right), None);
        }
        for wrong in ["5", "0.5", "'p'", "b\"pages\""] {
            let message = message(true, wrong).unwrap();
            assert!(message.contains("write `progress = true`"), "{message}");
        }
    }

    #[test]
    fn without_the_feature_it_is_the_feature_that_is_missing() {
        for any in ["true", "false", "\"pages\"", "5"] {
            let message = message(false, any).unwrap();
            assert!(message.contains("needs the cargo feature"), "{message}");
        }
        let name = Ident::new("progress", Span::call_site());
        assert!(check_where(false, &name, None).is_err());
    }
}
