//! A function's types as its companion has to write them: once with lifetimes, for `scope`, once `'static`, for the rest.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    FnArg, GenericArgument, GenericParam, Generics, Ident, Lifetime, LifetimeParam, Path,
    PathArguments, Receiver, ReceiverKind, ReturnType, Signature, Type, TypePath, WherePredicate,
    parse_quote,
};

use super::lifetimes::{self, Names, Static};
use super::pieces::relocated;

/// Types without a parameter in them, however the `impl` around a method is declared.
pub(super) const CLOSED: &[&str] = &[
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64", "bool", "char", "str", "String", "Path", "PathBuf", "Duration", "Instant", "Vec",
    "Option", "Box", "Arc", "std", "core", "alloc", "time", "path", "sync", "mut", "static",
];

/// A function's types, with the generics that they need.
#[derive(Clone)]
pub(super) struct Shape {
    pub(super) generics: Generics,
    /// What is needed beside the function's own `where` clause.
    pub(super) bounds: Vec<TokenStream>,
    pub(super) args: Vec<Type>,
    /// As it is written: a `Result` for a fallible function.
    pub(super) output: Type,
    /// Whether `output` may be read: `false` where the user has said what it is.
    pub(super) readable: bool,
}

/// Names what the signature leaves out. Beside the types come the lifetimes that the function has of its own.
pub(super) fn of_function(
    sig: &Signature,
    arg_names: &[Ident],
    env: &Lifetime,
    names: &mut Names,
) -> (Shape, Vec<Lifetime>) {
    let mut output = match &sig.output {
        ReturnType::Default => parse_quote!(()),
        // `check` has refused it, and it cannot be written in other places.
        ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    // A result that borrows must not be tied to the shortest argument, which is all that `'env` stands for.
    let common = (!lifetimes::has_elided(&output)).then_some(env);
    let mut lifetimes = vec![env.clone()];
    let mut impl_traits = Vec::new();
    let mut args = Vec::new();
    for (input, name) in sig.inputs.iter().zip(arg_names) {
        let mut ty = match input {
            FnArg::Typed(typed) => (*typed.ty).clone(),
            FnArg::Receiver(receiver) => receiver_type(receiver),
        };
        lifetimes.extend(lifetimes::name_elided(
            &mut ty,
            &name.to_string(),
            common,
            names,
        ));
        impl_traits.extend(lifetimes::name_impl_traits(&mut ty, names));
        args.push(ty);
    }
    if let Some(lifetime) = elided_output(sig, &args) {
        lifetimes::fill_elided(&mut output, &lifetime);
    }

    let mut generics = sig.generics.clone();
    let declared = generics.lifetimes().map(|param| param.lifetime.clone());
    let unsaid = lifetimes.clone().into_iter();
    lifetimes.extend(declared);
    let unsaid = unsaid.map(|lifetime| GenericParam::Lifetime(LifetimeParam::new(lifetime)));
    let impl_traits = impl_traits.into_iter().map(GenericParam::Type);
    generics.params = unsaid.chain(generics.params).chain(impl_traits).collect();
    (
        Shape {
            generics,
            bounds: Vec::new(),
            args,
            output,
            readable: true,
        },
        lifetimes,
    )
}

/// The type of `self`.
pub(super) fn receiver_type(receiver: &Receiver) -> Type {
    match &receiver.kind {
        ReceiverKind::Reference(and, lifetime, mutability) => {
            parse_quote!(#and #lifetime #mutability Self)
        }
        ReceiverKind::Typed(_, ty) => (**ty).clone(),
        _ => parse_quote!(Self),
    }
}

/// What an elided lifetime in the output means: that of `&self`, or else the only one among the arguments. Where there
/// is none, rustc says so of the function, and the companion is to keep quiet.
fn elided_output(sig: &Signature, args: &[Type]) -> Option<Lifetime> {
    let mut candidates = Vec::new();
    if let (Some(_), Some(this)) = (sig.receiver(), args.first()) {
        lifetimes::named(this, &mut candidates);
    }
    if candidates.len() != 1 {
        candidates.clear();
        args.iter()
            .for_each(|arg| lifetimes::named(arg, &mut candidates));
    }
    match candidates.as_slice() {
        [only] => Some(only.clone()),
        _ => Some(parse_quote!('static)),
    }
}

/// The names of type and const parameters, in order.
pub(super) fn type_params(generics: &Generics) -> Vec<Ident> {
    let name = |param: &GenericParam| match param {
        GenericParam::Type(param) => Some(param.ident.clone()),
        GenericParam::Const(param) => Some(param.ident.clone()),
        GenericParam::Lifetime(_) => None,
    };
    generics.params.iter().filter_map(name).collect()
}

/// What the companion asks of types that only its user knows.
pub(super) struct Needs<'a> {
    pub(super) associated: bool,
    /// Of the arguments, to keep them or to try again.
    pub(super) clone: bool,
    pub(super) fallible: bool,
    pub(super) krate: &'a Path,
}

impl Needs<'_> {
    /// For `scope`: arguments and results may borrow.
    pub(super) fn borrowing(&self, mut shape: Shape) -> Shape {
        let can_be_shorter = |target: &Type| self.may_borrow(target, &shape);
        let implied = shape
            .args
            .iter()
            .flat_map(|arg| lifetimes::implied_bounds(arg, can_be_shorter));
        shape.bounds = implied.chain(self.sendable(&shape)).collect();
        shape
    }

    /// For `submit` and `map`: everything is `'static`.
    pub(super) fn owning(&self, shape: &Shape, lifetimes: &[Lifetime]) -> Shape {
        let mut shape = shape.clone();
        let own = |lifetime: &Lifetime| lifetimes.contains(lifetime);
        shape.generics.params = shape
            .generics
            .params
            .into_iter()
            .filter(|param| !matches!(param, GenericParam::Lifetime(_)))
            .collect();
        if let Some(clause) = &mut shape.generics.where_clause {
            let kept = |bound: &WherePredicate| !matches!(bound, WherePredicate::Lifetime(bound) if own(&bound.lifetime));
            clause.predicates = clause.predicates.clone().into_iter().filter(kept).collect();
        }
        let mut rename = Static(lifetimes);
        rename.visit_generics_mut(&mut shape.generics);
        shape
            .args
            .iter_mut()
            .for_each(|arg| rename.visit_type_mut(arg));
        rename.visit_type_mut(&mut shape.output);

        shape.bounds = self.outlive_all(&shape);
        shape.bounds.extend(self.sendable(&shape));
        shape
    }

    /// Every type parameter is `'static`. In an `impl` there may be others than the function's own.
    fn outlive_all(&self, shape: &Shape) -> Vec<TokenStream> {
        if self.associated {
            let results = match shape.result() {
                Some((ok, err)) if self.fallible => vec![ok, err],
                _ => vec![&shape.output],
            };
            let types = || shape.args.iter().chain(results.iter().copied());
            if types().any(|ty| self.is_open(ty, shape)) {
                let types = types().filter(|ty| self.may_borrow(ty, shape));
                return types.map(|ty| quote!(#ty: 'static)).collect();
            }
        }
        let params = shape.generics.type_params().map(|param| &param.ident);
        params.map(|param| quote!(#param: 'static)).collect()
    }

    /// What goes to another thread, where that depends on a type parameter: of other types rustc knows it.
    fn sendable(&self, shape: &Shape) -> Vec<TokenStream> {
        let send = quote!(::core::marker::Send);
        let clone = self.clone.then(|| quote!(+ ::core::clone::Clone));
        let args = shape.args.iter().filter(|arg| self.is_open(arg, shape));
        // Where rustc can judge a bound at once, it says so at the type that it is about.
        let mut bounds: Vec<TokenStream> = args
            .map(|arg| relocated(quote!(#arg: #send #clone), arg.span()))
            .collect();
        let results: Vec<TokenStream> = match shape.result() {
            Some((ok, err)) if self.fallible => [ok, err]
                .into_iter()
                .filter(|ty| self.is_open(ty, shape))
                .map(ToTokens::to_token_stream)
                .collect(),
            _ if !self.is_open(&shape.output, shape) => Vec::new(),
            _ if self.fallible => vec![shape.ok(self.krate), shape.err(self.krate)],
            _ => vec![shape.output.to_token_stream()],
        };
        bounds.extend(results.iter().map(|result| quote!(#result: #send)));
        bounds
    }

    /// Whether a type depends on parameters of the function or, as far as one can tell, of the `impl` around it.
    fn is_open(&self, ty: &Type, shape: &Shape) -> bool {
        let params = type_params(&shape.generics);
        any_word(ty.to_token_stream(), &|word| {
            word == "Self"
                || params.iter().any(|param| param == word)
                || (self.associated && !CLOSED.contains(&word))
        })
    }

    /// Whether a type may be anything but `'static`.
    fn may_borrow(&self, ty: &Type, shape: &Shape) -> bool {
        names_lifetime(ty) || self.is_open(ty, shape)
    }
}

/// Whether a type names a lifetime other than `'static`.
pub(super) fn names_lifetime(ty: &Type) -> bool {
    let mut named = Vec::new();
    lifetimes::named(ty, &mut named);
    named.iter().any(|lifetime| lifetime.ident != "static")
}

impl Shape {
    /// The type of a result, of a fallible function.
    pub(super) fn ok(&self, krate: &Path) -> TokenStream {
        let output = &self.output;
        match self.result() {
            Some((ok, _)) => ok.to_token_stream(),
            None => quote!(<#output as #krate::__private::Fallible>::Ok),
        }
    }

    /// The type of an error, of a fallible function.
    pub(super) fn err(&self, krate: &Path) -> TokenStream {
        let output = &self.output;
        match self.result() {
            Some((_, err)) => err.to_token_stream(),
            None => quote!(<#output as #krate::__private::Fallible>::Err),
        }
    }

    /// The `T` and `E` of a `Result<T, E>`: what is written is what people read in the documentation. An alias may have
    /// other parameters, or others in another order; by this name and with two of them it is taken for the real one.
    fn result(&self) -> Option<(&Type, &Type)> {
        let Type::Path(TypePath {
            qself: None, path, ..
        }) = peeled(&self.output)
        else {
            return None;
        };
        let last = path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        let path: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let known = matches!(
            path[..],
            ["Result"] | ["result", "Result"] | ["std" | "core", "result", "Result"]
        );
        let mut types = arguments.args.iter().map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        });
        let (Some(Some(ok)), Some(Some(err)), None) = (types.next(), types.next(), types.next())
        else {
            return None;
        };
        (known && self.readable).then_some((ok, err))
    }
}

/// What is in brackets, or in the invisible group of a `macro_rules!` variable.
pub(super) fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled(&group.elem),
        Type::Paren(paren) => peeled(&paren.elem),
        ty => ty,
    }
}

/// Whether one of the identifiers is such a word. A lifetime's name is none.
pub(super) fn any_word(tokens: TokenStream, wanted: &dyn Fn(&str) -> bool) -> bool {
    let mut after_apostrophe = false;
    for token in tokens {
        let apostrophe = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        let found = match token {
            TokenTree::Ident(ident) => !after_apostrophe && wanted(&ident.to_string()),
            TokenTree::Group(group) => any_word(group.stream(), wanted),
            _ => false,
        };
        if found {
            return true;
        }
        after_apostrophe = apostrophe;
    }
    false
}
