//! Last pass: the model to calls and data.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Pat;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;

use super::braces::before_braces;
use super::check;
use super::exits::{Exit, Names};
use super::model::{How, Local, Loop, Policy, Reduced, Setting, Value};
use super::parse::Body;
use super::rewrite::Rewriter;
use crate::diag::Errors;

/// What the loop becomes; `None` where it has to stay as it is. A loop in the body of another one leaves through the
/// other's exits.
pub(super) fn expand(
    mut found: Loop,
    errors: &Errors,
    mut outer: Option<&mut Rewriter<'_>>,
) -> Option<TokenStream> {
    if let Some(outer) = &mut outer {
        rewrite_head(outer, &mut found);
    }
    let depth = outer.as_ref().map_or(0, |outer| outer.depth + 1);
    let (parts, merged) = parts(&found, outer.as_deref());
    let Loop {
        krate,
        place,
        options,
        label,
        pat,
        source,
        mut body,
    } = found;
    let mut locals = options.local;
    let mut rewriter = Rewriter::new(&krate, depth, place, options.policy, label.as_ref(), errors);
    (rewriter.parts, rewriter.merged) = (parts, merged);
    rewriter.conditional = body.conditional;
    rewriter.in_local = true;
    locals
        .iter_mut()
        .for_each(|local| rewriter.visit_expr_mut(&mut local.value));
    rewriter.in_local = false;
    body.stmts
        .iter_mut()
        .for_each(|stmt| rewriter.visit_stmt_mut(stmt));
    if rewriter.gave_up {
        return None;
    }
    let Rewriter {
        names,
        exits,
        holes,
        breaks,
        ..
    } = rewriter;
    let site = names.site;

    let (exit_enum, exit_type) = exit_enum(&names, &exits);
    let holes: Vec<TokenStream> = holes
        .iter()
        .map(|hole| match &mut outer {
            Some(outer) => outer.declare(hole),
            None => hole.declaration(&names),
        })
        .collect();
    let (settings, policy) = settings(&names, &options.settings);
    let looping = if options.settings.is_empty() {
        &settings
    } else {
        &quote_spanned!(site=> __looping)
    };
    let body = closure(&names, &pat, &exit_type, &body);

    // What is wrong with the items is shown at the expression they come from.
    let at_source = names.at(source.span());
    let private = names.private(at_source);
    let input =
        quote_spanned!(at_source=> (&&&#private::Tag::of(&__input)).__kind().source(__input));
    let plain = exits.is_empty() && !breaks;
    let plainly = |name| {
        format_ident!(
            "{name}{}",
            if plain { "_plain" } else { "" },
            span = at_source
        )
    };
    let call = if options.reduce.is_empty() && locals.is_empty() {
        let each = plainly("each");
        quote_spanned!(at_source=> #private::#each(#looping, #input, #body))
    } else {
        let workers = plainly("workers");
        let (accumulators, work) = work(&names, &options.reduce, &locals, &body);
        quote_spanned!(at_source=> #private::#workers(#looping, #input, #accumulators, #work))
    };
    let ended = if plain {
        call
    } else {
        arms(&names, &call, &exits, outer)
    };
    let value = match (options.settings.is_empty(), policy) {
        (true, _) => {
            let source = before_braces(&source, site);
            quote_spanned!(site=> match #source { __input => #ended })
        }
        (false, None) => {
            quote_spanned!(site=> match (#settings, #source) { (__looping, __input) => #ended })
        }
        (false, Some((before, policy))) => quote_spanned! {site=>
            match #before {
                __looping => {
                    #policy
                    match (#settings, #source) { (__looping, __input) => #ended }
                }
            }
        },
    };
    let imports = imports(&names, options.policy);
    let or_stopped = options
        .stoppable
        .then(|| quote_spanned!(site=> .or_stopped()));
    Some(quote_spanned! {site=> {
        #imports
        #exit_enum
        #(#holes)*
        let __report = #value;
        __report #or_stopped
    }})
}

/// What a nested loop evaluates in the body of the loop around it.
fn rewrite_head(outer: &mut Rewriter<'_>, found: &mut Loop) {
    for setting in &mut found.options.settings {
        if let Value::Expr(value) | Value::PolicyExpr(value) = &mut setting.value {
            outer.visit_expr_mut(value);
        }
    }
    outer.visit_expr_mut(&mut found.source);
}

/// The reduced variables in sight, and those of them that the outermost loop merges.
fn parts(found: &Loop, outer: Option<&Rewriter<'_>>) -> (HashSet<String>, HashSet<String>) {
    if found.options.reduce.is_empty() && outer.is_none_or(|outer| outer.parts.is_empty()) {
        return Default::default();
    }
    let bound = check::bound(found);
    let own = found
        .options
        .reduce
        .iter()
        .map(|reduced| reduced.name.to_string());
    let (mut parts, mut merged): (HashSet<String>, HashSet<String>) = match outer {
        None => (own.clone().collect(), own.collect()),
        Some(outer) => (
            own.chain(outer.parts.iter().cloned()).collect(),
            outer.merged.clone(),
        ),
    };
    parts.retain(|name| !bound.contains(name));
    merged.retain(|name| !bound.contains(name));
    (parts, merged)
}

/// The type of the ways out, one variant for each place, and its name with the types left to inference.
fn exit_enum(names: &Names, exits: &[Exit]) -> (TokenStream, TokenStream) {
    let (exit, site) = (&names.exit, names.site);
    if exits.is_empty() {
        let private = names.private(site);
        return (TokenStream::new(), quote_spanned!(site=> #private::Never));
    }
    let mut parameters: Vec<Ident> = Vec::new();
    let mut variants: Vec<TokenStream> = Vec::new();
    for (index, found) in exits.iter().enumerate() {
        let variant = names.variant(index, site);
        if found.carries_value() {
            let parameter = format_ident!("T{index}", span = site);
            variants.push(quote_spanned!(site=> #variant(#parameter)));
            parameters.push(parameter);
        } else {
            variants.push(quote_spanned!(site=> #variant));
        }
    }
    let inferred = parameters.iter().map(|_| quote_spanned!(site=> _));
    let inferred = quote_spanned!(site=> #exit<#(#inferred),*>);
    (
        quote_spanned!(site=> enum #exit<#(#parameters),*> { #(#variants),* }),
        inferred,
    )
}

/// The traits behind the method calls of the expansion.
fn imports(names: &Names, policy: Policy) -> TokenStream {
    let site = names.site;
    let private = names.private(site);
    let describe = matches!(policy, Policy::Log | Policy::Unknown).then(|| {
        quote_spanned! {site=>
            DescribeError as _, DescribeDeref as _, DescribeDisplay as _, DescribeDebug as _, DescribeAny as _,
        }
    });
    quote_spanned! {site=>
        #[allow(unused_imports)]
        use #private::{ViaIndexed as _, SendElsePullHere as _, ViaCaller as _, #describe};
    }
}

/// The loop's builder, evaluating the options in the order of the text. A policy that the body asks for again needs a
/// statement of its own, and a builder before it; a builder may borrow from its options, so it stays in one expression.
fn settings(
    names: &Names,
    settings: &[Setting],
) -> (TokenStream, Option<(TokenStream, TokenStream)>) {
    let (policy, site) = (&names.policy, names.site);
    let private = names.private(site);
    let mut before = None;
    let mut looping = quote_spanned!(site=> #private::Loop::new());
    for Setting { method, value } in settings {
        let span = names.at(method.span());
        let private = names.private(span);
        let value = match value {
            Value::Expr(value) => value.to_token_stream(),
            Value::Duration(duration) => {
                let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
                quote_spanned!(span=> ::core::time::Duration::new(#seconds, #nanos))
            }
            Value::Policy(variant) => {
                let variant = Ident::new(variant, span);
                quote_spanned!(span=> #private::ErrorPolicy::#variant)
            }
            Value::PolicyExpr(value) => {
                let first = std::mem::replace(&mut looping, quote_spanned!(site=> __looping));
                before = Some((
                    first,
                    quote_spanned!(span=> let #policy: #private::ErrorPolicy = #value;),
                ));
                policy.to_token_stream()
            }
        };
        looping = quote_spanned!(span=> #looping.#method(#value));
    }
    (looping, before)
}

/// The body as a closure, which rustc shows as the whole loop.
fn closure(names: &Names, pat: &Pat, exit_type: &TokenStream, body: &Body) -> TokenStream {
    let (site, at_body) = (names.site, names.at(body.brace.span.join()));
    let (private, private_at_body) = (names.private(site), names.private(at_body));
    let Body { attrs, stmts, .. } = body;
    // A closure's parameter may not be an or-pattern without parentheses, a loop's pattern may.
    let pat = match pat {
        Pat::Or(_) => quote_spanned!(site=> (#pat)),
        _ => pat.to_token_stream(),
    };
    // The braces of the user's block are ours: as the user's, rustc would find them unnecessary.
    let block = quote_spanned! {at_body=> {
        { #(#attrs)* #(#stmts)* }
        #[allow(unreachable_code)]
        return #private_at_body::Flow::Next;
    }};
    quote_spanned!(site=> |#pat| -> #private::Flow<#exit_type> #block)
}

/// For `reduce` and `local`: the reduced variables, and what each worker does.
fn work(
    names: &Names,
    reduce: &[Reduced],
    locals: &[Local],
    body: &TokenStream,
) -> (TokenStream, TokenStream) {
    let (worker, site) = (&names.worker, names.site);
    let accumulators = reduce.iter().map(|Reduced { name, how }| {
        let span = names.at(name.span());
        let private = names.private(span);
        let how = Ident::new(
            match how {
                How::Added => "Added",
                How::Largest => "Largest",
                How::Smallest => "Smallest",
            },
            span,
        );
        quote_spanned!(span=> #private::#how(&mut #name))
    });
    let at_names = reduce
        .first()
        .map_or(site, |first| names.at(first.name.span()));
    let mut worker = worker.clone();
    worker.set_span(at_names);
    let accumulators = quote_spanned!(at_names=> (#(#accumulators,)*));
    let locals = locals.iter().map(|Local { name, value }| {
        quote_spanned! {site=>
            #[allow(unused_mut)]
            let mut #name = #value;
        }
    });
    let batches = if reduce.is_empty() {
        quote_spanned!(site=> while #worker.batch(#body) {})
    } else {
        let reduced: Vec<&Ident> = reduce.iter().map(|reduced| &reduced.name).collect();
        // As paths and at one place, what is wrong with a variable is one error; method calls would each have their own.
        let span = at_names;
        let private = names.private(span);
        let parts = quote_spanned!(span=> #private::Worker::parts(#worker));
        let batch = quote_spanned!(span=> #private::Worker::batch(#worker, #body));
        let settle = quote_spanned!(span=> #private::Worker::settle(#worker, (#(&mut #reduced,)*)));
        quote_spanned! {site=>
            #[allow(unused_mut)]
            let (#(mut #reduced,)*) = #parts;
            loop {
                let __more = #batch;
                #settle;
                if !__more {
                    break;
                }
            }
        }
    };
    (
        accumulators,
        quote_spanned!(at_names=> |#worker| { #(#locals)* #batches }),
    )
}

/// The call, and the exits themselves, done where the loop stands.
fn arms(
    names: &Names,
    call: &TokenStream,
    exits: &[Exit],
    mut outer: Option<&mut Rewriter<'_>>,
) -> TokenStream {
    let (exit, site) = (&names.exit, names.site);
    let private = names.private(site);
    let arms: Vec<TokenStream> = exits
        .iter()
        .enumerate()
        .map(|(index, found)| {
            let variant = names.variant(index, site);
            let name = found.value_name();
            let value = found
                .carries_value()
                .then(|| quote_spanned!(site=> (#name)));
            let leave = match &mut outer {
                Some(outer) => outer.pass_on(found, &name),
                None => found.real(&name.to_token_stream(), names),
            };
            let arm =
                quote_spanned!(site=> #private::Outcome::Exited(#exit::#variant #value) => #leave,);
            match found {
                Exit::Try { conditions, .. } if !conditions.is_empty() => quote_spanned! {site=>
                    #[cfg(all(#(#conditions),*))]
                    #arm
                    #[cfg(not(all(#(#conditions),*)))]
                    #private::Outcome::Exited(#exit::#variant(__never)) => {
                        let __never: #private::Never = __never;
                        match __never {}
                    }
                },
                _ => arm,
            }
        })
        .collect();
    let none = exits
        .is_empty()
        .then(|| quote_spanned!(site=> #private::Outcome::Exited(__never) => match __never {},));
    quote_spanned! {site=>
        match #call {
            #private::Outcome::Ended(__report) => __report,
            #(#arms)*
            #none
        }
    }
}
