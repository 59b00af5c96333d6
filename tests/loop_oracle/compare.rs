//! Runs a trial's loops over every kind of source, and compares them with the plain `for`.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futureproof::{ErrorPolicy, StopToken, parallel_for, pull_here};

use crate::bodies::{exits, nested, ranges, same_range, stops, survives, touches};
use crate::seen::{Caged, End, Low, Lying, Run, Seen};
use crate::trial::{Act, Trial};

/// Runs a loop both ways.
macro_rules! both {
    ($trial:ident, $kind:expr, $run:ident: $loop:expr, $compare:expr) => {{
        let $run = &Run::new($trial);
        #[allow(unused_mut)]
        let expected = {
            use crate::twins::sequential as parallel_for;
            $loop
        };
        let checked = $run.check(false);
        checked.map_err(|fault| format!("{} in sequence: {fault}", $kind))?;
        let $run = &Run::new($trial);
        let seen = {
            use futureproof::parallel_for;
            $loop
        };
        let checked = $run.check(true);
        checked.map_err(|fault| format!("{}: {fault}", $kind))?;
        $compare($kind, &expected, &seen)?;
    }};
}

fn same(kind: &str, expected: &Seen, seen: &Seen) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("{kind}: {seen:?} instead of {expected:?}"))
    }
}

/// Every element that the plain loop changes is changed once, no other more than once.
fn same_touches(kind: &str, expected: &Seen, seen: &Seen) -> Result<(), String> {
    let mut pairs = seen.list.iter().zip(&expected.list);
    if seen.end == expected.end && pairs.all(|(&seen, &expected)| (expected..2).contains(&seen)) {
        Ok(())
    } else {
        Err(format!("{kind}: {seen:?} instead of {expected:?}"))
    }
}

/// Runs the loops of a trial; the error says which was not what it should be.
pub(crate) fn check(trial: &Trial) -> Result<(), String> {
    all_ways_out(trial)?;
    changes_in_place(trial)?;
    nests(trial)?;
    goes_on(trial)?;
    is_stopped(trial)?;
    counts(trial)?;
    feeds_itself(trial)
}

fn all_ways_out(trial: &Trial) -> Result<(), String> {
    /// One source; what it borrows from is made for each run.
    macro_rules! kinds {
        ($($kind:literal: |$run:ident, $things:ident| $input:expr;)*) => {$(
            both!(trial, $kind, $run: {
                #[allow(unused_mut, unused_variables)]
                let mut $things = $run.things();
                exits!($run, $input)
            }, same);
        )*};
    }

    kinds! {
        "vector": |run, things| things;
        "vector by reference": |run, things| &things;
        "slice": |run, things| &things[..];
        "boxed slice": |run, things| Vec::from(things.into_boxed_slice());
        "array": |run, things| run.array();
        "array by reference": |run, things| &run.array();
        "array's iterator": |run, things| run.array().into_iter();
        "vector's iterator": |run, things| things.into_iter();
        "slice's iterator": |run, things| things.iter();
        "mutable slice": |run, things| &mut things[..];
        "shared iterator": |run, things| things.into_iter().filter(|_| true);
        "reversed": |run, things| things.iter().rev();
        "made as it is pulled": |run, things| (0..things.len()).map(|number| run.thing(number));
        "made by loops": |run, things| (0..things.len()).map(|number| {
            let mut sum = 0;
            parallel_for!(workers = 2, reduce(sum), for _ in 0..number {
                sum += 1;
            });
            run.thing(sum)
        });
        "in chunks": |run, things| things.chunks(run.trial.row).flatten();
        "lying iterator": |run, things| Lying(things.into_iter(), run.trial.lie);
        "pulled here": |run, things| pull_here(things.into_iter());
        "lying, pulled here": |run, things| pull_here(Lying(things.iter(), run.trial.lie));
        "not to be sent": |run, things| Caged(things.iter(), Rc::new(()));
    }
    Ok(())
}

fn changes_in_place(trial: &Trial) -> Result<(), String> {
    macro_rules! kinds {
        ($($kind:literal: |$things:ident| $input:expr;)*) => {$(
            both!(trial, $kind, run: {
                let mut $things = run.things();
                touches!(run, $things, $input)
            }, same_touches);
        )*};
    }

    kinds! {
        "mutable slice": |things| &mut things[..];
        "mutable vector": |things| &mut things;
        "mutable slice's iterator": |things| things.iter_mut();
        "mutable chunks": |things| things.chunks_mut(trial.row).flatten();
        "mutable, pulled here": |things| pull_here(things.iter_mut());
    }
    Ok(())
}

fn nests(trial: &Trial) -> Result<(), String> {
    both!(trial, "three deep over chunks", run: {
        let things = run.things();
        nested!(run, things.chunks(3 * trial.row))
    }, same);
    both!(trial, "three deep over slices", run: {
        let things = run.things();
        let planes: Vec<_> = things.chunks(3 * trial.row).collect();
        nested!(run, &planes)
    }, same);
    both!(trial, "three deep, pulled here", run: {
        let things = run.things();
        nested!(run, pull_here(things.chunks(3 * trial.row)))
    }, same);
    Ok(())
}

/// What a plain loop does under a policy.
fn surviving(trial: &Trial, policy: ErrorPolicy) -> Seen {
    let (mut list, mut end) = (Vec::new(), End::Through);
    let (mut completed, mut failed) = (0, 0);
    for (number, act) in trial.acts.iter().enumerate() {
        list.push(number);
        let raises = policy == ErrorPolicy::Raise;
        match act {
            Act::Fail | Act::Panic if !raises => {
                failed += 1;
                continue;
            }
            Act::Fail => end = End::Failed(number),
            Act::Panic => end = End::Panicked(number),
            Act::Return => end = End::Returned(number),
            _ => completed += 1,
        }
        if end != End::Through || *act == Act::Break {
            break;
        }
        if *act != Act::Continue {
            list.push(number + 1000);
        }
    }
    let counts = (end == End::Through).then_some((completed, failed));
    let (words, numbers) = (BTreeMap::new(), (0, 0, 0));
    Seen {
        end,
        list,
        numbers,
        words,
        counts,
    }
}

fn goes_on(trial: &Trial) -> Result<(), String> {
    macro_rules! kinds {
        ($($kind:literal, $is:expr, $policy:tt: |$things:ident| $input:expr;)*) => {$({
            let run = &Run::new(trial);
            let seen = {
                let $things = run.things();
                survives!(run, $policy, $input)
            };
            let checked = run.check(true);
            checked.map_err(|fault| format!("{}: {fault}", $kind))?;
            let mut expected = surviving(trial, $is);
            if expected.list.last().is_some_and(|&last| trial.acts.get(last) == Some(&Act::Break)) {
                // What items behind it did is counted too.
                expected.counts = seen.counts;
            }
            same($kind, &expected, &seen)?;
        })*};
    }

    kinds! {
        "ignored", ErrorPolicy::Ignore, ("ignore"): |things| &things;
        "ignored and shared", ErrorPolicy::Ignore, ("ignore"): |things| things.into_iter().filter(|_| true);
        "logged", ErrorPolicy::Log, ("log"): |things| things;
        "logged and pulled here", ErrorPolicy::Log, ("log"): |things| pull_here(things);
        "raised", ErrorPolicy::Raise, ("raise"): |things| things.iter();
        "decided at run time", trial.policy, (trial.policy): |things| things;
        "decided at run time, shared", trial.policy, (trial.policy): |things| things.chunks(2).flatten();
    }
    Ok(())
}

fn is_stopped(trial: &Trial) -> Result<(), String> {
    macro_rules! kinds {
        ($($kind:literal: |$things:ident| $input:expr;)*) => {$({
            let run = &Run::new(trial);
            let seen = {
                let $things = run.things();
                stops!(run, $input)
            };
            let checked = run.check(true);
            checked.map_err(|fault| format!("{}: {fault}", $kind))?;
            after_stop(trial, run, $kind, &seen)?;
        })*};
    }

    kinds! {
        "stopped": |things| &things;
        "stopped while it owns": |things| things;
        "stopped and shared": |things| things.into_iter().filter(|_| true);
        "stopped and pulled here": |things| pull_here(things);
    }
    Ok(())
}

/// Is this what a loop may leave that one of its items stops?
fn after_stop(trial: &Trial, run: &Run<'_>, kind: &str, seen: &Seen) -> Result<(), String> {
    let end = |(number, act): (usize, &Act)| match act {
        Act::Fail => Some(End::Failed(number)),
        Act::Return => Some(End::Returned(number)),
        Act::Panic => Some(End::Panicked(number)),
        _ => None,
    };
    let first = trial
        .acts
        .iter()
        .enumerate()
        .position(|item| end(item).is_some());
    let expected = first
        .and_then(|first| end((first, &trial.acts[first])))
        .unwrap_or(End::Through);
    let starts = first.map_or(trial.acts.len(), |first| first + 1);
    let started = |number: usize| run.started[number].load(Ordering::Relaxed) > 0;
    let has_stopped = |(number, act): (usize, &Act)| *act == Act::Stop && started(number);
    let stopped = trial.acts.iter().enumerate().any(has_stopped);
    let is_whole = seen.end == expected && seen.list.iter().copied().eq(0..starts);
    let is_panic = trial.acts.iter().enumerate().any(|(number, act)| {
        *act == Act::Panic && started(number) && seen.end == End::Panicked(number)
    });
    let in_order = seen.list.is_sorted_by(|a, b| a < b);
    let is_part = in_order && seen.list.iter().all(|&number| started(number));
    if is_whole || stopped && (seen.end == End::Stopped || is_panic) && is_part {
        Ok(())
    } else {
        Err(format!(
            "{kind}: {seen:?} where {expected:?} or a stop was to come"
        ))
    }
}

fn counts(trial: &Trial) -> Result<(), String> {
    ranges!(trial, u8 i8 u16 i16 u32 i32 u64 i64);
    let (lowest, first) = (i8::MIN, u8::MIN);
    same_range!(trial, "i8, all of it", lowest, lowest..=i8::MAX);
    same_range!(trial, "u8, all of it", first, first..=u8::MAX);
    Ok(())
}

/// A loop whose bodies feed its source: item `n` gives the items `2n + 1` and `2n + 2`.
fn feeds_itself(trial: &Trial) -> Result<(), String> {
    macro_rules! frontier {
        ($kind:literal: |$items:ident| $input:expr) => {{
            let run = &Run::new(trial);
            let (send, receive) = mpsc::channel();
            let open = AtomicUsize::new(1);
            send.send((!trial.acts.is_empty()).then_some(0)).unwrap();
            let $items = std::iter::from_fn(move || receive.recv().unwrap());
            let mut list = Vec::new();
            parallel_for!(
                workers = trial.workers,
                batch = trial.batch,
                pool = trial.pool(),
                reduce(list),
                for number in $input {
                    let _running = run.begin(number);
                    list.push(number);
                    for child in 2 * number + 1..2 * number + 3 {
                        if child < trial.acts.len() {
                            open.fetch_add(1, Ordering::Relaxed);
                            send.send(Some(child)).unwrap();
                        }
                    }
                    if open.fetch_sub(1, Ordering::AcqRel) == 1 {
                        send.send(None).unwrap();
                    }
                }
            );
            run.check(true)
                .map_err(|fault| format!("{}: {fault}", $kind))?;
            list.sort_unstable();
            if !list.iter().copied().eq(0..trial.acts.len()) {
                return Err(format!("{}: {list:?}", $kind));
            }
        }};
    }

    frontier!("frontier": |items| items);
    frontier!("frontier, pulled here": |items| pull_here(items));
    Ok(())
}
