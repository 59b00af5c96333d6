//! Makes an input smaller that breaks a promise.

use std::time::{Duration, Instant};

use proc_macro2::{Group, TokenTree};

use super::case::{Case, Kind};
use super::judge::{Fault, judge};

/// No longer than this, whatever is left.
const TIME: Duration = Duration::from_secs(20);

/// The smallest input found that has the same fault.
pub(super) fn shrunk(kind: Kind, text: &str, fault: Fault) -> String {
    let begun = Instant::now();
    let fails = |text: &str| matches!(judge(kind, text), Err((found, _)) if found == fault);
    let mut best = text.to_owned();
    'again: while begun.elapsed() < TIME {
        let Some(case) = Case::read(kind, &best) else {
            break;
        };
        for smaller in smaller(&case) {
            let smaller = smaller.text();
            if begun.elapsed() > TIME {
                break;
            }
            if smaller.len() < best.len() && fails(&smaller) {
                best = smaller;
                continue 'again;
            }
        }
        break;
    }
    best
}

fn smaller(case: &Case) -> impl Iterator<Item = Case> {
    let inner = without(&case.inner).into_iter().map(|inner| Case {
        inner,
        ..case.clone()
    });
    let item = without(&case.item).into_iter().map(|item| Case {
        item,
        ..case.clone()
    });
    inner.chain(item)
}

/// All ways to leave out a run of tokens, or the brackets around some, at any depth; large runs first.
fn without(tokens: &[TokenTree]) -> Vec<Vec<TokenTree>> {
    let mut found = Vec::new();
    let mut len = tokens.len();
    while len > 0 {
        for start in (0..=tokens.len() - len).step_by(len.div_ceil(2)) {
            found.push([&tokens[..start], &tokens[start + len..]].concat());
        }
        len /= 2;
    }
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let with = |new: &[TokenTree]| [&tokens[..at], new, &tokens[at + 1..]].concat();
        found.push(with(&inner));
        for inner in without(&inner) {
            let new = Group::new(group.delimiter(), inner.into_iter().collect());
            found.push(with(&[new.into()]));
        }
    }
    found
}
