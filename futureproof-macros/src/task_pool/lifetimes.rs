//! What a signature leaves unsaid, said: names for elided lifetimes and `impl Trait`, and what a function may take for
//! granted about its references.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, Ident, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment,
    Type, TypeFnPtr, TypeParam, TypeReference,
};

/// Names that the function does not use yet, for what the companion has to name.
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Starts with every word of `tokens` taken.
    pub(super) fn beside(tokens: TokenStream) -> Self {
        let mut names = Self {
            taken: HashSet::new(),
        };
        names.take_all(tokens);
        names
    }

    fn take_all(&mut self, tokens: TokenStream) {
        let mut before = "";
        for token in tokens {
            match &token {
                TokenTree::Ident(ident) => {
                    self.taken.insert(format!("{before}{ident}"));
                }
                TokenTree::Group(group) => self.take_all(group.stream()),
                _ => {}
            }
            before = if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'') {
                "'"
            } else {
                ""
            };
        }
    }

    /// `wanted` itself, or with a number behind it.
    fn free(&mut self, wanted: &str, span: Span) -> Ident {
        let mut name = wanted.to_owned();
        let mut number = 1;
        while syn::parse_str::<Ident>(&name).is_err() || self.taken.contains(&name) {
            number += 1;
            name = format!("{wanted}{number}");
        }
        self.taken.insert(name.clone());
        Ident::new(&name, span)
    }

    /// The name of a type parameter.
    pub(super) fn type_param(&mut self, wanted: &str) -> Ident {
        self.free(wanted, Span::call_site())
    }

    /// The name of a lifetime, without a thought for identifiers: those are a name space of their own.
    pub(super) fn lifetime(&mut self, wanted: &str, span: Span) -> Lifetime {
        let mut name = wanted.to_owned();
        let mut number = 1;
        // `'static`, and keywords, which are no names of lifetimes.
        while syn::parse_str::<Ident>(&name).is_err() || self.taken.contains(&format!("'{name}")) {
            number += 1;
            name = format!("{wanted}{number}");
        }
        self.taken.insert(format!("'{name}"));
        Lifetime::new(&format!("'{name}"), span)
    }
}

/// Gives each elided lifetime of a parameter's type a name of its own, made from the parameter's, and returns them. Where
/// there is a `common` lifetime the outermost reference takes that: it can be shortened to it.
pub(super) fn name_elided(
    ty: &mut Type,
    parameter: &str,
    common: Option<&Lifetime>,
    names: &mut Names,
) -> Vec<Lifetime> {
    if let (
        Type::Reference(TypeReference {
            lifetime,
            and_token,
            ..
        }),
        Some(common),
    ) = (&mut *ty, common)
        && lifetime
            .as_ref()
            .is_none_or(|lifetime| lifetime.ident == "_")
    {
        *lifetime = Some(Lifetime {
            apostrophe: and_token.span,
            ident: common.ident.clone(),
        });
    }
    let mut fresh = Vec::new();
    let parameter = parameter.trim_start_matches("r#");
    let name = |span| {
        let lifetime = names.lifetime(parameter, span);
        fresh.push(lifetime.clone());
        lifetime
    };
    Elided { name }.visit_type_mut(ty);
    fresh
}

/// Whether this is `Cow<str>`: the one type of the standard library that is commonly written without its lifetime.
pub(super) fn hides_lifetime(segment: &PathSegment) -> bool {
    matches!(&segment.arguments, PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1)
        && segment.ident == "Cow"
}

/// Whether there is an elided lifetime in the type.
pub(super) fn has_elided(ty: &Type) -> bool {
    let mut found = false;
    let name = |span| {
        found = true;
        Lifetime::new("'static", span)
    };
    Elided { name }.visit_type_mut(&mut ty.clone());
    found
}

/// Gives every elided lifetime of the output the one that elision means.
pub(super) fn fill_elided(ty: &mut Type, lifetime: &Lifetime) {
    Elided {
        name: |span| Lifetime {
            apostrophe: span,
            ident: lifetime.ident.clone(),
        },
    }
    .visit_type_mut(ty);
}

/// Replaces elided lifetimes, but for those inside `fn(&T)` and `Fn(&T)`, which mean "for any lifetime".
struct Elided<F> {
    name: F,
}

impl<F: FnMut(Span) -> Lifetime> VisitMut for Elided<F> {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some((self.name)(reference.and_token.span));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = (self.name)(lifetime.apostrophe);
        }
    }

    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        visit_mut::visit_path_segment_mut(self, segment);
        if hides_lifetime(segment)
            && let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
        {
            let lifetime = (self.name)(segment.ident.span());
            arguments
                .args
                .insert(0, GenericArgument::Lifetime(lifetime));
        }
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }

    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
}

/// Replaces `impl Trait` by type parameters, which it returns.
pub(super) fn name_impl_traits(ty: &mut Type, names: &mut Names) -> Vec<TypeParam> {
    let mut lift = ImplTraits {
        names,
        params: Vec::new(),
    };
    lift.visit_type_mut(ty);
    lift.params
}

struct ImplTraits<'a> {
    names: &'a mut Names,
    params: Vec<TypeParam>,
}

impl VisitMut for ImplTraits<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        if let Type::ImplTrait(implemented) = ty {
            let ident = self.names.type_param("T");
            let mut param = TypeParam::from(ident.clone());
            param.colon_token = Some(syn::token::Colon::default());
            param.bounds = implemented.bounds.clone();
            self.params.push(param);
            *ty = syn::parse_quote!(#ident);
        }
    }
}

/// The different lifetimes that a type names outside of `fn(&T)` and `Fn(&T)`, in order.
pub(super) fn named(ty: &Type, into: &mut Vec<Lifetime>) {
    struct Named<'a>(&'a mut Vec<Lifetime>);
    impl<'ast> Visit<'ast> for Named<'_> {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if !self.0.contains(lifetime) {
                self.0.push(lifetime.clone());
            }
        }
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(
            &mut self,
            _: &'ast ParenthesizedGenericArguments,
        ) {
        }
    }
    Named(into).visit_type(ty);
}

/// What a function with a parameter of type `ty` may take for granted, and others have to be told: what a reference
/// refers to lives as long as the reference.
pub(super) fn implied_bounds(
    ty: &Type,
    can_be_shorter: impl Fn(&Type) -> bool,
) -> Vec<TokenStream> {
    struct References<'ast>(Vec<&'ast TypeReference>);
    impl<'ast> Visit<'ast> for References<'ast> {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            self.0.push(reference);
            visit::visit_type_reference(self, reference);
        }
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
        fn visit_parenthesized_generic_arguments(
            &mut self,
            _: &'ast ParenthesizedGenericArguments,
        ) {
        }
    }
    let mut references = References(Vec::new());
    references.visit_type(ty);
    let bound = |reference: &&TypeReference| {
        let (lifetime, target) = (reference.lifetime.as_ref()?, &reference.elem);
        can_be_shorter(target).then(|| quote!(#target: #lifetime))
    };
    references.0.iter().filter_map(bound).collect()
}

/// Writes `'static` for each of `lifetimes`.
pub(super) struct Static<'a>(pub(super) &'a [Lifetime]);

impl VisitMut for Static<'_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.0.contains(lifetime) {
            *lifetime = Lifetime {
                apostrophe: lifetime.apostrophe,
                ident: Ident::new("static", lifetime.ident.span()),
            };
        }
    }
}
