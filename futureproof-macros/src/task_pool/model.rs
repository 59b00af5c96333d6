//! What the companion is made of, resolved: the expander only writes it down.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Lifetime, Meta, Pat, Path, PathArguments, Token,
    Type, Visibility, parse_quote,
};

use super::function::Function;
use super::lifetimes::Names;
use super::options::{Options, Setting};
use super::shape::{self, Shape, peeled};

/// One annotated function.
pub(super) struct Model {
    pub(super) name: Ident,
    /// Where the companion's names are: at the function's `fn`. An editor leads from `f::scope` to the function, and what it
    /// shows at the function's own name is the function.
    pub(super) at: Span,
    pub(super) vis: Visibility,
    pub(super) place: Place,
    pub(super) krate: Path,
    /// What of the function's attributes holds for everything that carries its name.
    pub(super) attrs: Vec<Attribute>,
    /// The ones among them that an `impl` may carry, which has no name.
    pub(super) impl_attrs: Vec<Attribute>,
    /// Options of the pool, in the order of the text.
    pub(super) settings: Vec<Setting>,
    pub(super) keep_args: bool,
    /// Whether a task may have several attempts, each with a clone of the arguments.
    pub(super) retry: bool,
    /// Which errors are worth another attempt.
    pub(super) retry_if: Option<Setting>,
    pub(super) fallible: bool,
    /// Whether rustc has to say if the function can fail: a type's name does not tell, and neither did an option.
    pub(super) may_be_result: bool,
    /// False where a mistake keeps the function from being called.
    pub(super) runs: bool,
    /// The parameters of `submit`.
    pub(super) args: Vec<Ident>,
    /// The type and const parameters that the function can be called with: `impl Trait` has none.
    pub(super) turbofish: Vec<Ident>,
    /// How long what the arguments of one scope borrow lives.
    pub(super) env: Lifetime,
    /// Names of the companion's own type parameters: what the scope's closure returns, and the input of `map`.
    pub(super) output_param: Ident,
    pub(super) input_param: Ident,
    /// Whether the error's type names a lifetime: then what it points to may not be a `dyn Error + 'static`.
    pub(super) error_borrows: bool,
    /// As `scope` sees the function: with its lifetimes.
    pub(super) borrowing: Shape,
    /// As `submit` and `map` see it: `'static`.
    pub(super) owning: Shape,
}

/// Where the companion's functions go.
pub(super) enum Place {
    /// Into a type of this name.
    Type(Ident),
    /// Beside a method or an associated function, its name before theirs.
    Siblings,
}

/// `runs`: whether the function can be called as it is.
pub(super) fn resolve(function: &Function, options: Options, runs: bool) -> Model {
    let sig = &function.sig;
    let mut names = Names::beside(sig.to_token_stream());
    let env = names.lifetime("env", Span::call_site());
    let args = argument_names(function);
    let associated = options.associated.is_some() || is_associated(function);
    let clonable = !sig.inputs.iter().any(is_exclusive);
    let keep_args = clonable && options.keep_args.unwrap_or(true);
    let fallible = is_fallible(function, &options);
    let retry = clonable && fallible && options.given("retry").is_some();
    // `retry` has been refused then.
    let asked = options.given("retry").or(options.given("retry_if"));
    let may_be_result =
        options.fallible.is_none() && !fallible && asked.is_none() && is_name(&sig.output);
    let krate = options.krate.unwrap_or_else(|| parse_quote!(::futureproof));

    let (mut plain, lifetimes) = shape::of_function(sig, &args, &env, &mut names);
    plain.readable = options.fallible.is_none();
    let needs = shape::Needs {
        associated,
        clone: keep_args || retry,
        fallible,
        krate: &krate,
    };
    let error_borrows = fallible && shape::names_lifetime(error_type(&plain.output));
    let owning = needs.owning(&plain, &lifetimes);
    let borrowing = needs.borrowing(plain);
    let attrs = |names: &[&str]| {
        let attrs = function.attrs.iter();
        attrs.filter_map(|attr| shared(attr, names)).collect()
    };
    Model {
        name: sig.ident.clone(),
        at: sig.fn_token.span,
        vis: function.vis.clone(),
        place: match options.type_name {
            _ if associated => Place::Siblings,
            name => Place::Type(name.unwrap_or_else(|| sig.ident.clone())),
        },
        attrs: attrs(&["cfg", "allow", "deprecated", "doc"]),
        impl_attrs: attrs(&["cfg", "allow"]),
        settings: options.settings,
        turbofish: shape::type_params(&sig.generics),
        output_param: names.type_param("O"),
        input_param: names.type_param("I"),
        args,
        krate,
        keep_args,
        retry,
        retry_if: options.retry_if.filter(|_| retry),
        fallible,
        may_be_result,
        runs,
        env,
        error_borrows,
        borrowing,
        owning,
    }
}

/// The parameters' own names, where they have one that can be used.
fn argument_names(function: &Function) -> Vec<Ident> {
    let mut names: Vec<Ident> = Vec::new();
    for (index, input) in function.sig.inputs.iter().enumerate() {
        let wanted = match input {
            FnArg::Receiver(_) => "this".to_owned(),
            FnArg::Typed(typed) => match &*typed.pat {
                // `_unused` is used in the companion.
                Pat::Ident(pat) if pat.subpat.is_none() => {
                    pat.ident.to_string().trim_start_matches('_').to_owned()
                }
                _ => String::new(),
            },
        };
        let plain = syn::parse_str::<Ident>(&wanted).ok();
        let name = plain.map(|name| match wanted.strip_prefix("r#") {
            Some(raw) => Ident::new_raw(raw, name.span()),
            // A keyword in the edition of this crate, and a name in those before it.
            None if wanted == "gen" => Ident::new_raw(&wanted, name.span()),
            None => name,
        });
        // A parameter before this one may be called so.
        let free = |name: &Ident| !names.contains(name);
        let mut numbered = (index..).map(|number| format_ident!("arg{number}"));
        let name = name.filter(free).or_else(|| numbered.find(free));
        names.extend(name);
    }
    names
}

/// `&mut`, which cannot be cloned; `check` has said so.
fn is_exclusive(input: &FnArg) -> bool {
    let ty = match input {
        FnArg::Typed(typed) => (*typed.ty).clone(),
        FnArg::Receiver(receiver) => shape::receiver_type(receiver),
    };
    matches!(ty, Type::Reference(reference) if reference.mutability.is_some())
}

/// Whether the function stands in an `impl` or a `trait`: nowhere else it can say `self` or `Self`.
fn is_associated(function: &Function) -> bool {
    function.sig.receiver().is_some()
        || says_self(function.sig.to_token_stream())
        || says_self(function.body.stream())
}

/// Looks for `Self`, but not into items inside of the function, which have a `Self` of their own.
fn says_self(tokens: TokenStream) -> bool {
    let mut inside_item = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => match ident.to_string().as_str() {
                "Self" if !inside_item => return true,
                "impl" | "trait" | "struct" | "enum" | "macro_rules" => {
                    inside_item = true;
                }
                _ => {}
            },
            TokenTree::Punct(punct) if punct.as_char() == ';' => inside_item = false,
            TokenTree::Group(group)
                if group.delimiter() == proc_macro2::Delimiter::Brace && inside_item =>
            {
                inside_item = false;
            }
            TokenTree::Group(group) if says_self(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

/// Whether the function can fail, as far as the options and its text tell.
pub(super) fn is_fallible(function: &Function, options: &Options) -> bool {
    let by_name = || is_result(&function.sig.output);
    options.fallible.unwrap_or_else(by_name)
}

/// Whether a function can fail is seen by the name of what it returns, by any path.
fn is_result(output: &syn::ReturnType) -> bool {
    let syn::ReturnType::Type(_, ty) = output else {
        return false;
    };
    matches!(peeled(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Result"))
}

/// Whether the result's type has a name that may stand for any other type.
pub(super) fn is_name(output: &syn::ReturnType) -> bool {
    let syn::ReturnType::Type(_, ty) = output else {
        return false;
    };
    match peeled(ty) {
        Type::Path(path) => !path
            .path
            .get_ident()
            .is_some_and(|name| shape::CLOSED.iter().any(|closed| name == closed)),
        Type::Macro(_) => true,
        _ => false,
    }
}

/// The `E` of `Result<T, E>`; of an alias, where it is not to be seen, the whole type.
fn error_type(output: &Type) -> &Type {
    if let Type::Path(path) = peeled(output)
        && let Some(last) = path.path.segments.last()
        && last.ident == "Result"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && arguments.args.len() == 2
        && let Some(GenericArgument::Type(error)) = arguments.args.last()
    {
        return error;
    }
    output
}

/// The attribute, or the part of a `cfg_attr`, if it is one of `names`: of `doc` only `hidden`.
fn shared(attr: &Attribute, names: &[&str]) -> Option<Attribute> {
    let path = attr.path();
    if path.is_ident("cfg_attr") {
        let Meta::List(list) = &attr.meta else {
            return None;
        };
        let parts = Punctuated::<Meta, Token![,]>::parse_terminated;
        let mut parts = list.parse_args_with(parts).ok()?.into_iter();
        let condition = parts.next()?;
        let kept: Vec<Meta> = parts
            .filter_map(|meta| Some(shared(&parse_quote!(#[#meta]), names)?.meta))
            .collect();
        return (!kept.is_empty()).then(|| parse_quote!(#[cfg_attr(#condition, #(#kept),*)]));
    }
    let hidden = |meta: &Meta| matches!(meta, Meta::List(list) if list.parse_args::<Ident>().is_ok_and(|word| word == "hidden"));
    let wanted = names.iter().any(|name| path.is_ident(name));
    (wanted && (!path.is_ident("doc") || hidden(&attr.meta))).then(|| attr.clone())
}

impl Model {
    /// The name of one of the companion's functions.
    pub(super) fn function(&self, name: &str) -> Ident {
        let place = self.name.span().located_at(self.at);
        let text = match self.place {
            Place::Type(_) => name.to_owned(),
            Place::Siblings => match name.strip_prefix("__") {
                Some(hidden) => format!("__{}_{hidden}", self.text()),
                None => format!("{}_{name}", self.text()),
            },
        };
        Ident::new(&text, place)
    }

    /// Whether a type can be written anywhere: it depends neither on the function's parameters nor on an `impl`'s.
    pub(super) fn is_closed(&self, ty: &Type) -> bool {
        matches!(self.place, Place::Type(_))
            && !shape::any_word(ty.to_token_stream(), &|word| {
                self.companion_turbofish().iter().any(|param| param == word)
            })
    }

    /// The companion type, where it is named but not declared.
    pub(super) fn type_name(&self) -> Option<Ident> {
        match &self.place {
            Place::Type(name) => {
                let mut name = name.clone();
                name.set_span(name.span().located_at(self.at));
                Some(name)
            }
            Place::Siblings => None,
        }
    }

    /// The function's name as text.
    pub(super) fn text(&self) -> String {
        self.name.unraw().to_string()
    }

    /// How the function's body calls for its own pool.
    pub(super) fn pool(&self) -> TokenStream {
        let pool = self.function("pool");
        match &self.place {
            Place::Type(_) => {
                let name = self.type_name();
                quote!(#name::#pool())
            }
            Place::Siblings => quote!(Self::#pool()),
        }
    }

    /// The type and const parameters of a companion's function.
    pub(super) fn companion_turbofish(&self) -> Vec<Ident> {
        shape::type_params(&self.borrowing.generics)
    }
}
