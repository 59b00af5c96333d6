//! The loops, each written once and run twice: as `parallel_for!` means it, and as the plain `for` of the same text.

/// Every way out of one loop, with every kind of reduced variable and a value for each worker.
macro_rules! exits {
    ($run:ident, $input:expr) => {{
        let (mut list, mut words) = (vec![1], BTreeMap::from([(0, String::from("0"))]));
        let (mut sum, mut largest, mut smallest) = (1, 1, usize::MAX);
        let end = $run.end(|| {
            parallel_for!(
                workers = $run.trial.workers,
                batch = $run.trial.batch,
                pool = $run.trial.pool(),
                reduce(list, words, sum, max(largest), min(smallest)),
                local(own = $run.local()),
                for thing in $input {
                    let (number, _running) = (thing.number, $run.begin(thing.number));
                    let _used = own.used.clone();
                    assert_eq!(Rc::strong_count(&own.used), 2, "one body at a time");
                    list.push(number);
                    sum += number;
                    largest = largest.max(number);
                    smallest = smallest.min(number);
                    match thing.act {
                        Act::Continue => continue,
                        Act::Break => break,
                        Act::Fail => Err(Low($run.left(number)))?,
                        Act::Return => return Ok(Some($run.left(number))),
                        Act::Panic => resume_unwind(Box::new($run.left(number))),
                        Act::Inner => {
                            let mut seen = 0;
                            let mut inner = || -> Option<usize> {
                                parallel_for!(
                                    workers = 2,
                                    reduce(seen),
                                    for n in 0..number {
                                        seen += 1;
                                        if n == 3 {
                                            None?
                                        }
                                    }
                                );
                                Some(100)
                            };
                            sum += inner().unwrap_or(7) + seen;
                        }
                        _ => {}
                    }
                    words
                        .entry(number % 3)
                        .or_insert_with(String::new)
                        .push_str(&number.to_string());
                    list.push(number + 1000);
                }
            );
            Ok(None)
        });
        let (numbers, counts) = ((sum, largest, smallest), None);
        Seen {
            end,
            list,
            numbers,
            words,
            counts,
        }
    }};
}

/// Three loops deep, with exits to each of them.
macro_rules! nested {
    ($run:ident, $planes:expr) => {{
        let (mut list, mut sum) = (Vec::new(), 0);
        let trial = $run.trial;
        let end = $run.end(|| {
            parallel_for!(
                workers = trial.workers,
                batch = trial.batch,
                pool = trial.pool(),
                reduce(list, sum),
                'planes: for plane in $planes {
                    parallel_for!(
                        workers = trial.workers,
                        reduce(list, sum),
                        'rows: for row in plane.chunks(trial.row) {
                            parallel_for!(
                                workers = 2,
                                pool = trial.pool(),
                                reduce(list, sum),
                                for thing in row {
                                    $run.started[thing.number].fetch_add(1, Ordering::Relaxed);
                                    list.push(thing.number);
                                    match thing.act {
                                        Act::Continue => continue,
                                        Act::Break => break,
                                        Act::Fail => Err(Low($run.left(thing.number)))?,
                                        Act::Return => return Ok(Some($run.left(thing.number))),
                                        Act::Panic => {
                                            resume_unwind(Box::new($run.left(thing.number)))
                                        }
                                        Act::ContinueOuter => continue 'rows,
                                        Act::BreakOuter => break 'rows,
                                        Act::ContinueOutmost => continue 'planes,
                                        Act::BreakOutmost => break 'planes,
                                        _ => sum += thing.number,
                                    }
                                }
                            );
                            sum += 1000;
                            list.push(5000);
                        }
                    );
                    sum += 1_000_000;
                    list.push(6000);
                }
            );
            Ok(None)
        });
        let (words, counts) = (BTreeMap::new(), None);
        Seen {
            end,
            list,
            numbers: (sum, 0, 0),
            words,
            counts,
        }
    }};
}

/// Changes to the elements themselves; the list says which.
macro_rules! touches {
    ($run:ident, $things:ident, $input:expr) => {{
        let end = $run.end(|| {
            parallel_for!(
                workers = $run.trial.workers,
                batch = $run.trial.batch,
                pool = $run.trial.pool(),
                for thing in $input {
                    let _running = $run.begin(thing.number);
                    thing.touched += 1;
                    match thing.act {
                        Act::Break => break,
                        Act::Fail => Err(Low($run.left(thing.number)))?,
                        Act::Return => return Ok(Some($run.left(thing.number))),
                        Act::Panic => resume_unwind(Box::new($run.left(thing.number))),
                        _ => {}
                    }
                }
            );
            Ok(None)
        });
        let list = $things.iter().map(|thing| thing.touched).collect();
        let (words, counts) = (BTreeMap::new(), None);
        Seen {
            end,
            list,
            numbers: (0, 0, 0),
            words,
            counts,
        }
    }};
}

/// A loop that goes on after failures; `$policy` says under which option.
macro_rules! survives {
    ($run:ident, ($($policy:tt)*), $input:expr) => {{
        let (mut list, mut counts) = (Vec::new(), None);
        let end = $run.end(|| {
            let report = futureproof::parallel_for!(
                workers = $run.trial.workers,
                batch = $run.trial.batch,
                pool = $run.trial.pool(),
                error_policy = $($policy)*,
                reduce(list),
                for thing in $input {
                    let _running = $run.begin(thing.number);
                    list.push(thing.number);
                    match thing.act {
                        Act::Continue => continue,
                        Act::Break => break,
                        Act::Fail => Err(Low($run.left(thing.number)))?,
                        Act::Return => return Ok(Some($run.left(thing.number))),
                        Act::Panic => resume_unwind(Box::new($run.left(thing.number))),
                        _ => {}
                    }
                    list.push(thing.number + 1000);
                }
            );
            counts = Some((report.completed(), report.failed()));
            Ok(None)
        });
        let (words, numbers) = (BTreeMap::new(), (0, 0, 0));
        Seen { end, list, numbers, words, counts }
    }};
}

/// A loop that one of its items stops.
macro_rules! stops {
    ($run:ident, $input:expr) => {{
        let (mut list, mut stopped) = (Vec::new(), None);
        let token = StopToken::new();
        let end = $run.end(|| {
            let outcome = futureproof::parallel_for!(
                workers = $run.trial.workers,
                batch = $run.trial.batch,
                pool = $run.trial.pool(),
                stop = &token,
                deadline = "1h",
                reduce(list),
                for thing in $input {
                    let _running = $run.begin(thing.number);
                    list.push(thing.number);
                    match thing.act {
                        Act::Stop => token.stop(),
                        Act::Fail => Err(Low($run.left(thing.number)))?,
                        Act::Return => return Ok(Some($run.left(thing.number))),
                        Act::Panic => resume_unwind(Box::new($run.left(thing.number))),
                        _ => {}
                    }
                }
            );
            stopped = Some(outcome.is_err());
            Ok(None)
        });
        let end = match end {
            End::Through if stopped == Some(true) => End::Stopped,
            end => end,
        };
        let (words, numbers) = (BTreeMap::new(), (0, 0, 0));
        Seen {
            end,
            list,
            numbers,
            words,
            counts: None,
        }
    }};
}

/// Integers, from the type's smallest to its largest value.
macro_rules! ranges {
    ($trial:ident, $($int:ty)*) => {$({
        let most = (<$int>::MAX / 2) as u64;
        let count = most.min($trial.acts.len() as u64) as $int;
        let starts = [<$int>::MIN, <$int>::MAX - count, <$int>::MAX / 2 - count / 2, 0];
        for start in starts {
            let end = start.wrapping_add(count);
            if end < start {
                continue;
            }
            same_range!($trial, stringify!($int), start, start..end);
            same_range!($trial, stringify!($int), start, start..=end);
            same_range!($trial, stringify!($int), start, end..start);
            same_range!($trial, stringify!($int), start, end..=start);
        }
    })*};
}

/// One range, run both ways.
macro_rules! same_range {
    ($trial:ident, $int:expr, $start:ident, $range:expr) => {{
        let leaves = |n| {
            let index = usize::try_from(i128::from(n) - i128::from($start)).unwrap_or(0);
            $trial.acts.get(index) == Some(&Act::Break)
        };
        let mut expected = Vec::new();
        for n in $range {
            expected.push(n);
            if leaves(n) {
                break;
            }
        }
        let mut list = Vec::new();
        futureproof::parallel_for!(
            workers = $trial.workers,
            batch = $trial.batch,
            pool = $trial.pool(),
            reduce(list),
            for n in $range {
                list.push(n);
                if leaves(n) {
                    break;
                }
            }
        );
        if list != expected {
            return Err(format!(
                "range of {}: {list:?} instead of {expected:?}",
                $int
            ));
        }
    }};
}

pub(crate) use {exits, nested, ranges, same_range, stops, survives, touches};
