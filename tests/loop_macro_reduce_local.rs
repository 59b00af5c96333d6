//! `reduce` gives what the sequential loop would have left in the variable, `local` one value per worker.

mod twins;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::num::ParseIntError;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use twins::{agree, twins};

twins! {
    fn sums(workers: usize, items: &[i64]) -> (i64, u32, [i64; 3], (i64, i64)) {
        let (mut sum, mut count, mut classes, mut pair) = (100, 0u32, [1, 2, 3], (0, 0));
        parallel_for!(workers = workers, reduce(sum, count, classes, pair), for item in items {
            sum += item;
            sum -= 1;
            count += 1;
            classes[item.rem_euclid(3) as usize] += item;
            pair.0 += item;
            pair.1 -= item;
        });
        (sum, count, classes, pair)
    }

    fn collections_in_order(workers: usize, items: &[i64]) -> (Vec<i64>, String, BTreeSet<i64>, BTreeMap<i64, Vec<i64>>) {
        let mut squares = vec![-1];
        let mut text = String::from("items:");
        let mut set = BTreeSet::new();
        let mut classes: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        parallel_for!(workers = workers, reduce(squares, text, set, classes), for &item in items {
            squares.push(item * item);
            text.push_str(&format!(" {item}"));
            set.insert(item);
            classes.entry(item % 2).or_default().push(item);
        });
        (squares, text, set, classes)
    }

    fn largest_and_smallest(workers: usize, items: &[i64]) -> (i64, i64, i64) {
        let (mut top, mut low, mut n) = (3, 3, 0);
        parallel_for!(workers = workers, reduce(max(top), n, min(low)), for &item in items {
            if item > top { top = item; }
            low = low.min(item);
            n += 1;
        });
        (top, low, n)
    }

    fn kept_up_to_the_exit(workers: usize, texts: &[&str]) -> (Vec<i64>, bool) {
        let mut seen = Vec::new();
        let mut run = || -> Result<(), ParseIntError> {
            parallel_for!(workers = workers, reduce(seen), for text in texts {
                seen.push(-1);
                let n = text.parse::<i64>()?;
                seen.push(n);
                if n == 7 { break; }
            });
            Ok(())
        };
        let failed = run().is_err();
        (seen, failed)
    }

    fn used_in_a_format_string_alone(workers: usize, items: &[i64]) -> (i64, usize) {
        let mut sum = 0;
        let mut lengths = 0;
        parallel_for!(workers = workers, reduce(sum, lengths), for item in items {
            sum += item;
            lengths += format!("{item:>3}").len();
        });
        (sum, lengths)
    }

    fn locals(workers: usize, items: &[i64]) -> Vec<String> {
        let mut out = Vec::new();
        parallel_for!(workers = workers, local(buffer = String::new()), reduce(out), for item in items {
            buffer.clear();
            buffer.push_str("n");
            buffer += &item.to_string();
            out.push(buffer.clone());
        });
        out
    }

    fn failing_locals(workers: usize, items: &[i64], size: &str) -> Result<usize, ParseIntError> {
        let mut total = 0;
        parallel_for!(
            workers = workers,
            local(buffer = vec![0; size.parse::<usize>()?]),
            reduce(total),
            for _ in items { total += buffer.len(); buffer[0] = 3; }
        );
        Ok(total)
    }

    fn returned_from_the_body(workers: usize, items: &[i64]) -> Result<(i64, Vec<i64>), Vec<i64>> {
        let (mut sum, mut seen) = (0, Vec::new());
        parallel_for!(workers = workers, reduce(sum, seen), for item in items {
            seen.push(*item);
            sum += item;
            if *item == 7 { return Ok((sum, seen)); }
            parallel_for!(workers = workers, reduce(sum), for n in 0..3 {
                sum += n;
                if item + n == 14 { return Err(seen); }
            });
        });
        Ok((sum, seen))
    }
}

const ITEMS: &[&[i64]] = &[
    &[],
    &[5],
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    &[3, -1, 3, 12, 0, -7],
];

#[test]
fn sums_start_from_what_the_variable_holds() {
    for items in ITEMS {
        agree(|w| sums::parallel(w, items), |w| sums::sequential(w, items));
    }
}

#[test]
fn collections_keep_the_order_of_the_input() {
    for items in ITEMS {
        agree(
            |w| collections_in_order::parallel(w, items),
            |w| collections_in_order::sequential(w, items),
        );
    }
}

#[test]
fn max_and_min_may_be_assigned() {
    for items in ITEMS {
        agree(
            |w| largest_and_smallest::parallel(w, items),
            |w| largest_and_smallest::sequential(w, items),
        );
    }
}

#[test]
fn an_exit_keeps_what_came_before_it_and_nothing_after() {
    for texts in [
        &["1", "2", "x", "3"][..],
        &["1", "7", "x"],
        &["x"],
        &["1"],
        &[],
    ] {
        agree(
            |w| kept_up_to_the_exit::parallel(w, texts),
            |w| kept_up_to_the_exit::sequential(w, texts),
        );
    }
}

#[test]
fn a_reduced_variable_that_is_returned_is_whole() {
    for items in ITEMS {
        agree(
            |w| returned_from_the_body::parallel(w, items),
            |w| returned_from_the_body::sequential(w, items),
        );
    }
}

#[test]
fn a_format_string_is_a_use() {
    for items in ITEMS {
        agree(
            |w| used_in_a_format_string_alone::parallel(w, items),
            |w| used_in_a_format_string_alone::sequential(w, items),
        );
    }
    let mut seen = String::new();
    futureproof::parallel_for!(
        workers = 1,
        reduce(max(seen)),
        for _ in 0..1 {
            assert_eq!(format!("{seen}|{seen:?}"), "|\"\"");
        }
    );
    assert_eq!(seen, "");
}

#[test]
fn a_local_is_made_once_for_each_worker_and_need_not_be_send() {
    for workers in [1, 2, 3, 16] {
        let made = AtomicUsize::new(0);
        let mut uses = 0;
        futureproof::parallel_for!(
            workers = workers,
            reduce(uses),
            local(
                shared = {
                    made.fetch_add(1, Ordering::Relaxed);
                    Rc::new(Cell::new(0))
                },
                handle = Rc::clone(&shared)
            ),
            for _ in 0..100 {
                handle.set(handle.get() + 1);
                assert_eq!(shared.get(), handle.get());
                uses += 1;
            }
        );
        assert_eq!(uses, 100);
        assert!((1..=workers).contains(&made.load(Ordering::Relaxed)));
    }
}

#[test]
fn no_item_makes_no_local() {
    fn make() -> i32 {
        panic!("nobody needs it")
    }
    futureproof::parallel_for!(
        local(never = make()),
        for _ in 0..0 {
            let _: &i32 = &never;
        }
    );
}

#[test]
fn what_a_local_gives_up_with_is_its_items() {
    for items in ITEMS {
        agree(
            |w| locals::parallel(w, items),
            |w| locals::sequential(w, items),
        );
    }
    for size in ["3", "x"] {
        let items = ITEMS[2];
        agree(
            |w| failing_locals::parallel(w, items, size),
            |w| failing_locals::sequential(w, items, size),
        );
    }
    fn returns(flag: bool) -> i32 {
        futureproof::parallel_for!(
            workers = 2,
            local(value = if flag { return 7 } else { 3 }),
            for _ in 0..4 {
                value += 1;
            }
        );
        0
    }
    assert_eq!((returns(true), returns(false)), (7, 0));
    fn make() -> i32 {
        std::panic::panic_any(5_u8)
    }
    let panicked = std::panic::catch_unwind(|| {
        futureproof::parallel_for!(
            workers = 2,
            local(value = make()),
            for _ in 0..4 {
                let _: &i32 = &value;
            }
        );
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&5_u8));
}

#[test]
fn parts_are_changed_where_they_decide_nothing() -> Result<(), std::io::Error> {
    use std::collections::BTreeMap;
    use std::io::Read;

    let words = ["a", "b", "a", "c", "b", "a"];
    let (mut counts, mut lengths, mut text, mut longest) =
        (BTreeMap::new(), [0; 3], String::new(), 0);
    futureproof::parallel_for!(
        reduce(counts, lengths, text, max(longest)),
        for (n, word) in words.iter().enumerate() {
            if let Some(count) = counts.get_mut(word) {
                *count += 1;
            } else {
                counts.insert(*word, 1);
            }
            lengths[n % 3] += word.len();
            if word.as_bytes().read_to_string(&mut text)? == 0 {
                break;
            }
            if n > longest {
                longest = n;
            }
        }
    );
    assert_eq!(counts, BTreeMap::from([("a", 3), ("b", 2), ("c", 1)]));
    assert_eq!((lengths, &*text, longest), ([2; 3], "abacba", 5));
    Ok(())
}
