//! Changes a valid use of a macro a little, as token trees or as text.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};

use super::case::{Case, Kind};
use super::random::Random;

/// What is put in at random places.
const WORDS: &[&str] = &[
    // Options, and values for them.
    "workers = 0,",
    "workers = 4,",
    "batch = 1,",
    "error_policy = \"log\",",
    "error_policy = policy(),",
    "error_policy = \"rase\",",
    "name = \"x\",",
    "monitor = false,",
    "monitor = \"0ms\",",
    "progress = true,",
    "reduce(a, max(b)),",
    "reduce(min(*a)),",
    "reduce(),",
    "local(c = open()?),",
    "local(mut c),",
    "stop = &token,",
    "deadline = \"1h\",",
    "deadline = \"99999999999999999999s\",",
    "live = &live,",
    "pool = &pool,",
    "retry = 3,",
    "retry_if = |e| e.is(),",
    "timeout = \"2s\",",
    "rate_limit = \"10/s burst 2\",",
    "rate_limit = \"1/0s\",",
    "raise_after = 2,",
    "capacity = -1,",
    "keep_args = false,",
    "type = Name,",
    "fallible = true,",
    "associated,",
    "crate = a::b,",
    "max_tasks_per_thread = 1,",
    "on_thread_start = || (),",
    "= ,",
    "wrokers = 1,",
    // Ways out.
    "?",
    "? ;",
    "return",
    "return ;",
    "return Some(x) ;",
    "break",
    "break ;",
    "break 'a ;",
    "continue 'a ;",
    "break 'a 1 + ",
    "'a :",
    "'b : {}",
    "'static",
    "bail!(x)",
    "ensure!(x > 1, return)",
    ".await",
    "yield x",
    "a += x ;",
    "*a = x ;",
    "a[x] = 1 ;",
    "a.max(b)",
    "if a > 1 { break }",
    "parallel_for!(for x in y { x?; })",
    "parallel_for!(reduce(a), 'a: for x in y { a += x; continue 'a; })",
    "f::parallel_for! { }",
    "println!(\"{}\", x?)",
    // Keywords and other tokens.
    "for",
    "for x in y {}",
    "in",
    "while x {}",
    "loop {}",
    "fn f() {}",
    "async",
    "async move { x?; }",
    "const { x }",
    "unsafe",
    "unsafe { x? }",
    "extern \"C\"",
    "move || x?",
    "|x: u8| -> u8 { return x }",
    "let Some(x) = y else { return };",
    "match x { _ if y? => z?, _ => break }",
    "if let A = b? && c {}",
    "try { x? }",
    "impl Trait",
    "dyn Fn(&u8) -> &u8",
    "Result<T, E>",
    "Cow<str>",
    "Cow<>",
    "&'a mut T",
    "&mut self,",
    "self: &Self,",
    "Self",
    "self",
    "super",
    "crate",
    "<'a, T: A<'a> + ?Sized, const N: usize>",
    "where T: Copy",
    "->",
    "-> !",
    "-> impl A",
    "=>",
    "..",
    "..=",
    "...",
    "::",
    "&&",
    "||",
    "|",
    "!",
    "_",
    ",",
    ";",
    "=",
    "==",
    "#",
    "$",
    "$x",
    "@",
    "~",
    "<",
    ">",
    "- 1",
    "mut",
    "ref",
    "box",
    "r#type",
    "r#for",
    "arg0: u8,",
    "_x: u8,",
    "(a, b): (u8, u8),",
    "macro_rules! m { ($x:expr) => { $x? }; }",
    "struct S;",
    "#[cfg(a)]",
    "#[cfg(not(a))]",
    "#[cfg]",
    "#[cfg_attr(a, b)]",
    "#![allow(a)]",
    "#[task_pool]",
    "#[target_feature()]",
    "/// said of it\n",
    "//! said in it\n",
    "#[doc = \"x\"]",
    "#",
    // Literals.
    "0",
    "1usize",
    "0x0_usize",
    "340282366920938463463374607431768211456",
    "1e999",
    "1.5",
    "1f32",
    "\"\"",
    "\"\u{0}\"",
    "\"\\u{10ffff}\"",
    "r#\"raw\"#",
    "b\"x\"",
    "b'x'",
    "c\"x\"",
    "'x'",
    "true",
    "\"5 / s\"",
    "\"ms\"",
    "\"-1s\"",
    "\"١s\"",
    "NONE!{ }",
    "NONE!{ x? }",
    "NONE!{ for x in y { } }",
    "NONE!{ \"log\" }",
];

/// Characters of text edits: those that end, begin or glue tokens.
const CHARS: &str = "(){}[]<>,;:='\"!?#$&|.*+-_/\\ \n0a9r é\u{0}";

pub(super) struct Mutator<'a> {
    pub(super) corpus: &'a [Case],
    pub(super) random: Random,
}

impl Mutator<'_> {
    /// A changed use of a macro, as text.
    pub(super) fn next(&mut self) -> (Kind, String) {
        let corpus = self.corpus;
        let mut case = self.random.pick(corpus).clone();
        for _ in 0..=self.random.below(4) {
            let of_item = case.kind == Kind::Pool && !self.random.once_in(3);
            let tokens = if of_item {
                &mut case.item
            } else {
                &mut case.inner
            };
            self.change(tokens, 0);
        }
        let text = case.text();
        let text = if self.random.once_in(4) {
            self.edited(case.kind, text)
        } else {
            text
        };
        (case.kind, text)
    }

    /// Changes these tokens, or those of a group among them.
    fn change(&mut self, tokens: &mut Vec<TokenTree>, depth: usize) {
        let groups: Vec<usize> = (0..tokens.len())
            .filter(|&at| matches!(tokens[at], TokenTree::Group(_)))
            .collect();
        if !groups.is_empty() && depth < 12 && !self.random.once_in(3) {
            let at = *self.random.pick(&groups);
            if let TokenTree::Group(group) = &tokens[at] {
                let mut inner: Vec<TokenTree> = group.stream().into_iter().collect();
                self.change(&mut inner, depth + 1);
                tokens[at] = grouped(group.delimiter(), inner);
            }
            return;
        }
        let range = self.random.range(tokens.len());
        let at = range.start;
        match self.random.below(12) {
            0 => drop(tokens.drain(range)),
            1 => {
                let copy = tokens[range].to_vec();
                tokens.splice(at..at, copy);
            }
            2 if tokens.len() > 1 => {
                let other = self.random.below(tokens.len());
                let at = at.min(tokens.len() - 1);
                tokens.swap(at, other);
            }
            3 => drop(tokens.splice(range, self.word())),
            4 | 5 => drop(tokens.splice(at..at, self.word())),
            6 => drop(tokens.splice(range, self.foreign())),
            7 => {
                let mut inner: Vec<TokenTree> = tokens.drain(range).collect();
                let levels = if self.random.once_in(4) { 24 } else { 1 };
                for _ in 0..=self.random.below(levels) {
                    inner = vec![grouped(self.delimiter(), inner)];
                }
                tokens.splice(at..at, inner);
            }
            8 => tokens.truncate(at),
            9 => self.change_group(tokens, &groups),
            10 => {
                if let Some(TokenTree::Punct(punct)) = tokens.get(at) {
                    let spacing = match punct.spacing() {
                        Spacing::Alone => Spacing::Joint,
                        Spacing::Joint => Spacing::Alone,
                    };
                    tokens[at] = Punct::new(punct.as_char(), spacing).into();
                }
            }
            _ => {
                let moved: Vec<TokenTree> = tokens.drain(range).collect();
                let to = self.random.below(tokens.len() + 1);
                tokens.splice(to..to, moved);
            }
        }
    }

    /// Empties, opens or redelimits a group.
    fn change_group(&mut self, tokens: &mut Vec<TokenTree>, groups: &[usize]) {
        let Some(&at) = groups.get(self.random.below(groups.len() + 1)) else {
            return;
        };
        let TokenTree::Group(group) = tokens[at].clone() else {
            return;
        };
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        match self.random.below(3) {
            0 => tokens[at] = grouped(group.delimiter(), Vec::new()),
            1 => tokens[at] = grouped(self.delimiter(), inner),
            _ => drop(tokens.splice(at..=at, inner)),
        }
    }

    fn delimiter(&mut self) -> Delimiter {
        *self.random.pick(&[
            Delimiter::Parenthesis,
            Delimiter::Brace,
            Delimiter::Bracket,
            Delimiter::None,
        ])
    }

    fn word(&mut self) -> Vec<TokenTree> {
        let word = self.random.pick(WORDS);
        let tokens = TokenStream::from_str(word);
        tokens
            .unwrap_or_else(|error| panic!("{word}: {error}"))
            .into_iter()
            .collect()
    }

    /// A part of another entry of the corpus.
    fn foreign(&mut self) -> Vec<TokenTree> {
        let corpus = self.corpus;
        let other = self.random.pick(corpus);
        let mut tokens = if self.random.once_in(2) {
            other.inner.clone()
        } else {
            other.item.clone()
        };
        while let Some(group) = tokens.iter().find_map(|token| match token {
            TokenTree::Group(group) if !self.random.once_in(3) => Some(group.clone()),
            _ => None,
        }) {
            tokens = group.stream().into_iter().collect();
        }
        let range = self.random.range(tokens.len());
        tokens[range].to_vec()
    }

    /// A text with some of its characters changed, but for the macro's own name.
    fn edited(&mut self, kind: Kind, text: String) -> String {
        let kept = match kind {
            Kind::Loop => "parallel_for!(".len(),
            Kind::Pool => "#[task_pool(".len(),
        };
        let (head, rest) = text.split_at(kept);
        let mut chars: Vec<char> = rest.chars().collect();
        for _ in 0..=self.random.below(3) {
            let range = self.random.range(chars.len());
            let at = range.start;
            let known: Vec<char> = CHARS.chars().collect();
            let new = *self.random.pick(&known);
            match self.random.below(4) {
                0 => drop(chars.drain(range)),
                1 => chars.insert(at, new),
                2 => {
                    let copy = chars[range].to_vec();
                    chars.splice(at..at, copy);
                }
                _ => {
                    if let Some(char) = chars.get_mut(at) {
                        *char = new;
                    }
                }
            }
        }
        format!("{head}{}", chars.into_iter().collect::<String>())
    }
}

fn grouped(delimiter: Delimiter, tokens: Vec<TokenTree>) -> TokenTree {
    Group::new(delimiter, tokens.into_iter().collect()).into()
}
