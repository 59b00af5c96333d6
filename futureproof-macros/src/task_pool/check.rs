//! The rules that the options and the signature have to keep, each broken one reported where it is broken.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, PathArguments, ReturnType, Safety, Type, TypeImplTrait, TypePath};

use super::function::Function;
use super::lifetimes::hides_lifetime;
use super::model;
use super::options::Options;
use super::values::Value;
use crate::diag::Errors;

/// The most parameters that a pool's function may have, `self` included.
const MOST_PARAMETERS: usize = 8;

/// How far the companion can be written for a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// In full.
    Runs,
    /// With all its types but without a call of the function: beside an error, so that the places that use the
    /// companion are not reported too.
    Types,
    /// Not at all.
    No,
}

pub(super) fn function(function: &Function, options: &Options, errors: &Errors) -> Fit {
    let mut fit = Fit::Runs;
    qualifiers(function, &mut fit, errors);
    attributes(&function.attrs, &mut fit, errors);
    parameters(function, options, &mut fit, errors);
    output(&function.sig.output, &mut fit, errors);
    failures(function, options, errors);
    fit
}

/// What is asked of failures that cannot happen.
fn failures(function: &Function, options: &Options, errors: &Errors) {
    let policy = options
        .settings
        .iter()
        .find_map(|setting| match setting.value {
            Value::Policy(policy) => Some(policy),
            _ => None,
        });
    if let (Some(key), Some(policy @ ("Log" | "Ignore"))) = (options.given("raise_after"), policy) {
        let policy = policy.to_lowercase();
        errors.at(
            key,
            format!("`raise_after` needs the policy \"raise\"; remove it, or `error_policy = \"{policy}\"`"),
        );
    }
    let (retry, retry_if) = (options.given("retry"), options.given("retry_if"));
    let Some(key) = retry.or(retry_if) else {
        return;
    };
    if !model::is_fallible(function, options) {
        let name = &function.sig.ident;
        let advice = match options.fallible {
            Some(_) => format!("remove `{key}` or `fallible = false`"),
            None if model::is_name(&function.sig.output) => format!(
                "remove `{key}`, or write `fallible = true` if this is a `Result` by another name"
            ),
            None => format!("remove `{key}`"),
        };
        errors.at(
            key,
            format!("only an `Err` is tried again, and `{name}` returns no `Result`; {advice}"),
        );
    } else if retry.is_none() {
        errors.at(
            key,
            "`retry_if` needs `retry`, which says how often; add `retry = 3`",
        );
    }
}

fn qualifiers(function: &Function, fit: &mut Fit, errors: &Errors) {
    let sig = &function.sig;
    if let Some(token) = &sig.asyncness {
        *fit = Fit::Types;
        errors.at(
            token,
            "`#[task_pool]` is for functions that block a thread; write this one without `async`. \
             From async code, `.await` the handle that its `submit` gives",
        );
    }
    if let Safety::Unsafe(token) = &sig.safety {
        *fit = Fit::Types;
        errors.at(
            token,
            "`#[task_pool]` cannot promise what an `unsafe` function asks of its callers; \
             annotate a safe function that calls this one",
        );
    }
    if let Some(abi) = &sig.abi {
        *fit = Fit::Types;
        errors.at(abi, "`#[task_pool]` goes on Rust functions; annotate one without `extern` that calls this one");
    }
    if let Some(variadic) = &sig.variadic {
        *fit = Fit::No;
        errors.at(
            &variadic.dots,
            "a task has a fixed number of arguments; take a slice or a `Vec` instead of `...`",
        );
    }
}

fn attributes(attrs: &[Attribute], fit: &mut Fit, errors: &Errors) {
    for attr in attrs {
        let Some(name) = attr
            .path()
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
        else {
            continue;
        };
        match name.as_str() {
            "task_pool" => {
                *fit = Fit::No;
                errors.at(
                    attr,
                    "`#[task_pool]` is given twice; put all options into one",
                );
            }
            "target_feature" => {
                *fit = Fit::Types;
                errors.at(
                    attr,
                    "a pool's threads cannot promise a target feature; annotate a function without it that calls this one",
                );
            }
            _ => {}
        }
    }
}

fn parameters(function: &Function, options: &Options, fit: &mut Fit, errors: &Errors) {
    let inputs = &function.sig.inputs;
    if let Some(surplus) = inputs.iter().nth(MOST_PARAMETERS) {
        *fit = Fit::No;
        errors.at(
            surplus,
            format!(
                "`#[task_pool]` takes up to {MOST_PARAMETERS} parameters, and this function has {}; \
                 put some of them into a tuple or a struct",
                inputs.len()
            ),
        );
    }
    let exclusive = |what: &str, place: &dyn ToTokens| {
        let place = place.to_token_stream();
        if options.given("retry").is_some() {
            not_tried_again(what, &place, errors);
        } else if options.keep_args.unwrap_or(true) {
            not_kept(what, &place, errors);
        }
    };
    for input in inputs {
        let (attrs, ty) = match input {
            FnArg::Receiver(receiver) => {
                if is_exclusive_receiver(receiver) {
                    exclusive("&mut self", receiver);
                }
                (&receiver.attrs, None)
            }
            FnArg::Typed(typed) => (&typed.attrs, Some(&*typed.ty)),
        };
        for attr in attrs {
            if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                *fit = Fit::No;
                errors.at(attr, "`#[task_pool]` cannot leave out one parameter; put `cfg` on two versions of the function");
            }
        }
        let Some(ty) = ty else { continue };
        if let Type::Reference(reference) = ty
            && reference.mutability.is_some()
        {
            exclusive(&text(ty), ty);
        }
        HiddenLifetimes(errors).visit_type(ty);
    }
}

fn is_exclusive_receiver(receiver: &syn::Receiver) -> bool {
    match &receiver.kind {
        syn::ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
        syn::ReceiverKind::Typed(_, ty) => {
            matches!(&**ty, Type::Reference(reference) if reference.mutability.is_some())
        }
        _ => false,
    }
}

fn not_kept(what: &str, place: &impl ToTokens, errors: &Errors) {
    errors.at(
        place,
        format!(
            "`{what}` cannot be cloned, so it cannot be kept for the result; \
             write `keep_args = false` and the results come without their arguments"
        ),
    );
}

fn not_tried_again(what: &str, place: &impl ToTokens, errors: &Errors) {
    errors.at(
        place,
        format!(
            "`{what}` cannot be cloned, so there is none for another attempt; \
             remove `retry`, or share what changes: `&Mutex<…>`"
        ),
    );
}

fn output(output: &ReturnType, fit: &mut Fit, errors: &Errors) {
    let ReturnType::Type(_, ty) = output else {
        return;
    };
    if let Type::Never(never) = &**ty {
        *fit = Fit::Types;
        errors.at(never, "a task of a function that never returns could never complete; return `()` instead of `!`");
    }
    let mut opaque = OpaqueTypes(Vec::new());
    opaque.visit_type(ty);
    for place in opaque.0 {
        *fit = Fit::No;
        errors.at(
            place,
            "a task's result needs a type with a name; write it out, or box it: `Box<dyn Trait + Send>`",
        );
    }
    HiddenLifetimes(errors).visit_type(ty);
}

/// Finds `impl Trait`.
struct OpaqueTypes<'ast>(Vec<&'ast TypeImplTrait>);

impl<'ast> Visit<'ast> for OpaqueTypes<'ast> {
    fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
        self.0.push(opaque);
    }
}

/// Reports `Cow<str>`. Of other types that hide a lifetime only rustc knows, and says the same at the same place.
struct HiddenLifetimes<'a>(&'a Errors);

impl<'ast> Visit<'ast> for HiddenLifetimes<'_> {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last()
            && hides_lifetime(last)
            && let PathArguments::AngleBracketed(arguments) = &last.arguments
        {
            let inner = text(&arguments.args[0]);
            self.0.at(
                path,
                format!("the lifetime of this `Cow` is hidden; write `Cow<'_, {inner}>`"),
            );
        }
        visit::visit_type_path(self, path);
    }
}

/// The source text of a type, close to how people write it.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (from, to) in [
        ("& ", "&"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" :: ", "::"),
        (" ,", ","),
        ("[ ", "["),
        (" ]", "]"),
    ] {
        text = text.replace(from, to);
    }
    text
}
