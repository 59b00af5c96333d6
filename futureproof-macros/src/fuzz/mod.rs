//! Random inputs, made from valid uses: no macro panics, what comes out is Rust, every error points at a part of the
//! input and says something, and no expansion is out of proportion.
//!
//! | variable | |
//! |---|---|
//! | `FUTUREPROOF_FUZZ_SEED` | the first seed; alone, that one input |
//! | `FUTUREPROOF_FUZZ_ROUNDS` | how many inputs, one seed after the other |
//! | `FUTUREPROOF_FUZZ_SECONDS` | as many inputs as can be tried in that time |
//!
//! A seed gives the same input as long as the valid uses are the same, which `sources.rs` collects. An input that broke a
//! promise goes into `fuzz-corpus/regressions.txt`, which is tried every time.

mod case;
mod judge;
mod mutate;
mod random;
mod shrink;
mod sources;

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, panic, thread};

use self::case::{Case, Kind};
use self::judge::{Fault, Verdict, judge};
use self::mutate::Mutator;
use self::random::Random;
use crate::{parallel_for, task_pool};

const SEED: &str = "FUTUREPROOF_FUZZ_SEED";
const ROUNDS: &str = "FUTUREPROOF_FUZZ_ROUNDS";
const SECONDS: &str = "FUTUREPROOF_FUZZ_SECONDS";

/// So many inputs with fixed seeds, where nothing else is asked for.
const FIXED: u64 = 2000;

/// What rustc gives the thread that expands macros.
const STACK: usize = 8 << 20;

/// Runs on a stack like that of the compiler.
fn as_in_rustc(run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(STACK).spawn(run);
    if let Err(payload) = thread.expect("a thread starts").join() {
        panic::resume_unwind(payload);
    }
}

/// The number in a variable, if it is set.
fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
    )
}

#[test]
fn no_random_input_breaks_a_promise() {
    as_in_rustc(|| {
        let corpus: Vec<Case> = sources::all().into_iter().map(|found| found.case).collect();
        let (seed, rounds, seconds) = (number(SEED), number(ROUNDS), number(SECONDS));
        let first = match (seed, rounds, seconds) {
            (Some(seed), ..) => seed,
            (None, None, None) => 1,
            _ => any_seed(),
        };
        let most = match (seed, rounds, seconds) {
            (_, Some(rounds), _) => rounds,
            (_, None, Some(_)) => u64::MAX,
            (Some(_), None, None) => 1,
            (None, None, None) => FIXED,
        };
        let limit = seconds.map_or(Duration::MAX, Duration::from_secs);
        let begun = Instant::now();
        let mut seen = Seen::default();
        for seed in (first..).take(usize::try_from(most).unwrap_or(usize::MAX)) {
            if begun.elapsed() > limit {
                break;
            }
            let random = Random::new(seed);
            let (kind, text) = Mutator {
                corpus: &corpus,
                random,
            }
            .next();
            match judge(kind, &text) {
                Ok(None) => seen.no_tokens += 1,
                Ok(Some(verdict)) => seen.add(verdict, kind, &text),
                Err((fault, what)) => panic!("{}", report(Some(seed), kind, &text, fault, &what)),
            }
        }
        println!("seeds from {first}; {}", seen.text());
        assert!(
            rounds.is_some() || seed.is_some() || seen.is_fair(),
            "{}",
            seen.text()
        );
    });
}

#[test]
fn inputs_that_once_broke_a_promise_do_not_again() {
    as_in_rustc(|| {
        let mut broken = String::new();
        for case in sources::corpus("regressions.txt") {
            let text = case.text();
            if let Err((fault, what)) = judge(case.kind, &text) {
                let _ = writeln!(broken, "{fault:?}: {text}\n    {what}\n");
            }
        }
        assert!(broken.is_empty(), "{broken}");
    });
}

#[test]
fn every_use_in_tests_examples_and_documents_is_accepted() {
    as_in_rustc(|| {
        let uses = sources::all();
        let (mut tried, mut refused) = (0, String::new());
        for found in &uses {
            let (kind, text) = (found.case.kind, found.case.text());
            // A macro of the user's completes it; and the option may be switched off.
            let is_whole = !text.contains('$');
            let is_on = cfg!(feature = "progress") || !text.contains("progress");
            let verdict = judge(kind, &text).unwrap_or_else(|(fault, what)| {
                panic!("{}", report(None, kind, &text, fault, &what))
            });
            if found.is_right && is_whole && is_on {
                tried += 1;
                if verdict.is_none_or(|verdict| verdict.errors > 0) {
                    let _ = writeln!(refused, "{}: {text}", found.file.display());
                }
            }
        }
        assert!(refused.is_empty(), "{refused}");
        println!("{} uses, {tried} of them right", uses.len());
    });
}

#[test]
fn the_corpus_says_every_option() {
    let texts: String = sources::corpus("valid.txt")
        .iter()
        .map(Case::text)
        .collect();
    let of_pools = task_pool::OPTIONS.iter().map(|(name, _)| name);
    for option in parallel_for::OPTIONS.iter().chain(of_pools) {
        let forms = [format!("{option} ="), format!("{option} (")];
        assert!(forms.iter().any(|form| texts.contains(form)), "{option}");
    }
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    as_in_rustc(|| {
        let nested = |depth: usize, open: &str, core: &str, close: &str| {
            format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
        };
        for (open, core, close) in [
            ("(", "f(n)?", ")"),
            ("{ ", "f(n)?", " }"),
            ("[", "f(n)?", "]"),
            ("NONE!{", "f(n)?", "}"),
            ("f!(", "g(n)?", ")"),
            ("if c { ", "return 3", " } else { break }"),
            ("match x { _ => ", "continue", " }"),
            ("'a: loop { ", "break 'a", " }"),
            ("|| ", "n?", ""),
            ("!", "n?", ""),
        ] {
            let body = nested(DEPTH, open, core, close);
            accepted(
                Kind::Loop,
                &format!("parallel_for!(for n in x {{ let y = {body}; }})"),
            );
            let body = nested(DEPTH, open, core, close);
            accepted(Kind::Loop, &format!("parallel_for!(for n in {body} {{ }})"));
            accepted(Kind::Pool, &format!("#[task_pool] fn f() {{ {body} }}"));
        }
        for (open, close) in [
            ("Vec<", ">"),
            ("(", ",)"),
            ("[", "; 1]"),
            ("&", ""),
            ("fn(", ")"),
            ("NONE!{", "}"),
        ] {
            let ty = nested(DEPTH, open, "u8", close);
            accepted(
                Kind::Pool,
                &format!("#[task_pool()] fn f(x: {ty}) -> {ty} {{ }}"),
            );
        }
    });
}

/// rustc itself gives up at a depth of 128 in what macros are made of.
const DEPTH: usize = 128;

#[test]
fn an_exit_of_a_nested_loop_costs_little_in_each_loop_around_it() {
    as_in_rustc(|| {
        for depth in [1, 2, 4, 8, 16] {
            let open = "parallel_for!(for n in x { f(n)?; ".repeat(depth);
            let text = format!("{open}{}", "});".repeat(depth));
            let text = text.trim_end_matches(';');
            let size = accepted(Kind::Loop, text);
            let budget = 250 * depth + 55 * depth * (depth + 1) / 2;
            assert!(size <= budget, "{size} tokens for {depth} loops");
        }
    });
}

/// Asserts that an input keeps its promises, and is right; the size of its expansion.
fn accepted(kind: Kind, text: &str) -> usize {
    match judge(kind, text) {
        Ok(Some(Verdict { errors: 0, tokens })) => tokens.1,
        Ok(verdict) => panic!("{verdict:?}: {text}"),
        Err((fault, what)) => panic!("{}", report(None, kind, text, fault, &what)),
    }
}

/// What is said of a broken promise.
fn report(seed: Option<u64>, kind: Kind, text: &str, fault: Fault, what: &str) -> String {
    // The same panic would be printed for every attempt.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let shrunk = shrink::shrunk(kind, text, fault);
    panic::set_hook(hook);
    let mut said = format!(
        "{fault:?}: {what}\n\n    {text}\n\nor shorter, for fuzz-corpus/regressions.txt:\n\n    {shrunk}\n"
    );
    if let Some(seed) = seed {
        let _ = write!(
            said,
            "\nagain: {SEED}={seed} cargo test -p futureproof-macros fuzz\n"
        );
    }
    said
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is later than 1970").as_millis();
    u64::try_from(now).expect("it is long until then")
}

/// The figures of one run.
#[derive(Default)]
struct Seen {
    no_tokens: u64,
    accepted: u64,
    rejected: u64,
    errors: usize,
    /// The loop that grows most: its tokens, those of its expansion, and the loop.
    largest: Option<(usize, usize, String)>,
}

impl Seen {
    fn add(&mut self, verdict: Verdict, kind: Kind, text: &str) {
        if verdict.errors == 0 {
            self.accepted += 1;
        } else {
            self.rejected += 1;
            self.errors += verdict.errors;
        }
        let (before, after) = verdict.tokens;
        let is_largest = self
            .largest
            .as_ref()
            .is_none_or(|(of, most, _)| after * of > most * before);
        if kind == Kind::Loop && before > 10 && is_largest {
            self.largest = Some((before, after, text.to_owned()));
        }
    }

    fn text(&self) -> String {
        let tried = self.accepted + self.rejected;
        let Self {
            no_tokens,
            accepted,
            rejected,
            errors,
            largest,
        } = self;
        let (of, most, text) = largest.clone().unwrap_or_default();
        format!(
            "{tried} inputs: {accepted} accepted, {rejected} rejected with {errors} errors; \
             {no_tokens} texts that are no tokens\n{most} tokens of {of}: {text}"
        )
    }

    /// Was there enough of either kind?
    fn is_fair(&self) -> bool {
        let tried = self.accepted + self.rejected;
        self.accepted * 10 > tried && self.rejected * 10 > tried
    }
}
