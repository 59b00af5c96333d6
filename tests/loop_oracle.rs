//! A loop gives the sequential loop's answer: ten thousand random trials for every kind of source.

use std::rc::Rc;

use futureproof::parallel_for;

const TRIALS: u64 = 10_000;

/// `SplitMix64` (Steele, Lea and Flood 2014).
fn random(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The numbers of one trial: how many, how many workers, and what each item does.
struct Trial {
    seed: u64,
    items: Vec<u64>,
    workers: usize,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let length = random(seed) % 60;
        Self {
            seed,
            items: (0..length).map(|n| random(seed ^ (n << 32)) % 50).collect(),
            workers: [1, 2, 3, 16][(seed % 4) as usize],
        }
    }
}

/// An iterator that only its own thread can pull from.
fn not_send(items: &[u64]) -> impl Iterator<Item = &u64> {
    let alive = Rc::new(());
    items
        .iter()
        .inspect(move |_| assert_eq!(Rc::strong_count(&alive), 1))
}

/// Calls a closure that stands for a function.
fn once<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Runs the same check for the three kinds of source.
macro_rules! for_all_kinds {
    ($items:ident => $input:ident: $check:expr) => {{
        {
            let $input = $items;
            $check
        }
        {
            let $input = $items.iter().filter(|_| true);
            $check
        }
        {
            let $input = futureproof::pull_here(not_send($items));
            $check
        }
    }};
}

#[test]
fn the_first_match_is_returned() {
    fn sequential(items: &[u64], wanted: u64) -> Option<(usize, u64)> {
        for (index, &item) in items.iter().enumerate() {
            if item % wanted == 1 {
                return Some((index, item));
            }
        }
        None
    }

    for seed in 0..TRIALS {
        let trial = Trial::new(seed);
        let wanted = 2 + trial.seed % 40;
        let numbered: Vec<(usize, u64)> = trial.items.iter().copied().enumerate().collect();
        let expected = sequential(&trial.items, wanted);

        let indexed = || {
            parallel_for!(
                workers = trial.workers,
                for &(index, item) in &numbered {
                    if item % wanted == 1 {
                        return Some((index, item));
                    }
                }
            );
            None
        };
        let shared = || {
            parallel_for!(
                workers = trial.workers,
                for (index, &item) in trial.items.iter().enumerate() {
                    if item % wanted == 1 {
                        return Some((index, item));
                    }
                }
            );
            None
        };
        let fed = || {
            let items = futureproof::pull_here(not_send(&trial.items).enumerate());
            parallel_for!(
                workers = trial.workers,
                for (index, &item) in items {
                    if item % wanted == 1 {
                        return Some((index, item));
                    }
                }
            );
            None
        };
        assert_eq!(indexed(), expected, "seed {seed}");
        assert_eq!(shared(), expected, "seed {seed}");
        assert_eq!(fed(), expected, "seed {seed}");
    }
}

/// What a body does with an item.
fn checked(item: u64, seed: u64) -> Result<u64, String> {
    if random(item ^ seed).is_multiple_of(23) {
        Err(format!("item {item}"))
    } else {
        Ok(item * 2)
    }
}

#[test]
fn bodies_that_fail_at_random_give_the_first_error_and_what_was_pushed_before_it() {
    for seed in 0..TRIALS {
        let trial = Trial::new(seed);
        let items = &trial.items;
        let mut expected = Vec::new();
        let outcome = (|| {
            for &item in items {
                expected.push(item);
                expected.push(checked(item, seed)?);
            }
            Ok::<(), String>(())
        })();

        for_all_kinds!(items => input: {
            let mut pushed = Vec::new();
            let answer = once(|| -> Result<(), String> {
                parallel_for!(workers = trial.workers, reduce(pushed), for &item in input {
                    pushed.push(item);
                    pushed.push(checked(item, seed)?);
                });
                Ok(())
            });
            assert_eq!(answer, outcome, "seed {seed}");
            assert_eq!(pushed, expected, "seed {seed}");
        });
    }
}

#[test]
fn break_and_continue_leave_what_the_sequential_loop_leaves() {
    for seed in 0..TRIALS / 4 {
        let trial = Trial::new(seed);
        let items = &trial.items;
        let (stop, skip) = (random(seed) % 50, 2 + seed % 7);
        let (mut sum, mut largest, mut seen) = (0, 0, Vec::new());
        for &item in items {
            if item == stop {
                break;
            }
            if item % skip == 0 {
                continue;
            }
            sum += item;
            largest = largest.max(item);
            seen.push(item);
        }

        for_all_kinds!(items => input: {
            let (mut s, mut l, mut v) = (0, 0, Vec::new());
            parallel_for!(workers = trial.workers, reduce(s, max(l), v), for &item in input {
                if item == stop {
                    break;
                }
                if item % skip == 0 {
                    continue;
                }
                s += item;
                l = l.max(item);
                v.push(item);
            });
            assert_eq!((s, l, &v), (sum, largest, &seen), "seed {seed}");
        });
    }
}
