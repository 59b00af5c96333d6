//! `?`, `return`, `break` and `continue` in the body mean what they mean in a `for`.

mod twins;

use std::error::Error;
use std::num::ParseIntError;
use std::ops::ControlFlow;

use twins::{agree, twins};

twins! {
    fn question_mark(workers: usize, texts: &[&str]) -> Result<u64, ParseIntError> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), for text in texts {
            sum += text.parse::<u64>()?;
        });
        Ok(sum)
    }

    fn question_mark_in_a_chain(workers: usize, texts: &[&str]) -> Option<u32> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), for text in texts {
            sum += text.strip_prefix('<')?.strip_suffix('>')?.chars().next()?.to_digit(10)? * 2 + 1;
        });
        Some(sum)
    }

    fn question_mark_converts(workers: usize, texts: &[&str]) -> Result<i32, String> {
        #[derive(Debug)]
        struct Wrapped(ParseIntError);
        impl From<ParseIntError> for Wrapped { fn from(error: ParseIntError) -> Self { Self(error) } }
        fn inner(workers: usize, texts: &[&str]) -> Result<i32, Wrapped> {
            let mut sum = 0;
            parallel_for!(workers = workers, reduce(sum), for text in texts { sum += text.parse::<i32>()?; });
            Ok(sum)
        }
        inner(workers, texts).map_err(|error| format!("{error:?}"))
    }

    fn question_mark_of_control_flow(workers: usize, items: &[i32]) -> ControlFlow<i32> {
        parallel_for!(workers = workers, for item in items {
            if *item < 0 { ControlFlow::Break(*item)? }
        });
        ControlFlow::Continue(())
    }

    fn error_made_on_the_spot(workers: usize, items: &[i32]) -> Result<(), String> {
        parallel_for!(workers = workers, for item in items {
            if *item < 0 { Err(format!("{item} is negative"))?; }
        });
        Ok(())
    }

    fn returned_reference(workers: usize, words: &'static [&'static str]) -> Option<&'static &'static str> {
        parallel_for!(workers = workers, for word in words {
            if word.len() > 3 { return Some(word); }
        });
        None
    }

    fn returned_without_value(workers: usize, items: &[i32]) -> () {
        parallel_for!(workers = workers, for item in items {
            if *item == 3 { return; }
        });
    }

    fn returned_box_of_a_trait(workers: usize, items: &[i32]) -> String {
        fn find(workers: usize, items: &[i32]) -> Box<dyn Fn() -> i32 + Send> {
            parallel_for!(workers = workers, for item in items.iter().copied() {
                if item == 3 { return Box::new(move || item * 2); }
            });
            Box::new(|| 0)
        }
        find(workers, items)().to_string()
    }

    fn returned_with_conversion(workers: usize, items: &[i32]) -> Result<u8, String> {
        parallel_for!(workers = workers, for item in items {
            if *item > 255 { return Err("too large".into()); }
            if *item == 3 { return Ok((*item).try_into().unwrap_or_default()); }
        });
        Err("none".into())
    }

    fn returned_never_type(workers: usize, items: &[i32]) -> i32 {
        parallel_for!(workers = workers, for item in items {
            let positive = match item { 0 => continue, -1 => break, n if *n < 0 => return -1, n => *n };
            if positive == 3 { return positive }
        });
        0
    }

    fn everything_at_once(workers: usize, texts: &[&str]) -> Result<Option<i32>, ParseIntError> {
        let mut seen = Vec::new();
        parallel_for!(workers = workers, reduce(seen), 'own: for text in texts {
            if text.is_empty() { continue 'own; }
            if *text == "stop" { break 'own; }
            let n = text.parse::<i32>()?;
            seen.push(n);
            if n == 42 { return Ok(None); }
        });
        Ok(Some(seen.iter().sum()))
    }

    fn labels_outside(workers: usize, rows: &[&[i32]]) -> (usize, Vec<i32>) {
        let mut ends = Vec::new();
        let mut index = 0;
        'rows: for row in rows {
            index += 1;
            parallel_for!(workers = workers, for item in *row {
                if *item == 0 { continue 'rows; }
                if *item < 0 { break 'rows; }
            });
            ends.push(index as i32);
        }
        (index, ends)
    }

    fn labelled_block_outside(workers: usize, items: &[i32]) -> Option<i32> {
        let found = 'found: {
            parallel_for!(workers = workers, for item in items {
                if item % 7 == 3 { break 'found Some(item * 10); }
            });
            None
        };
        found.map(|n| n + 1)
    }

    fn loop_with_a_value_outside(workers: usize, items: &[i32]) -> i32 {
        'turns: loop {
            parallel_for!(workers = workers, for item in items {
                if *item == 3 { break 'turns *item; }
            });
            break -1;
        }
    }

    fn real_loops_inside(workers: usize, items: &[i32]) -> Vec<i32> {
        let mut found = Vec::new();
        parallel_for!(workers = workers, reduce(found), 'items: for item in items {
            let mut n = 0;
            let first = loop { n += 1; if n == 3 { break n * 2; } };
            'w: while n < 100 {
                n += 1;
                for k in 0..n {
                    if k == 2 { continue 'w; }
                    if k > item % 5 { break; }
                    if n == 50 { break 'w; }
                    if *item == 13 { break 'items; }
                    if *item == 12 { continue 'items; }
                }
            }
            let end = 'block: { if *item > 2 { break 'block 1; } 2 };
            found.push(first + n + end);
        });
        found
    }

    fn closures_and_items_own_their_exits(workers: usize, texts: &[&str]) -> Vec<i32> {
        let mut found = Vec::new();
        parallel_for!(workers = workers, reduce(found), for text in texts {
            let parse = || -> Result<i32, ParseIntError> { let n: i32 = text.parse()?; if n == 2 { return Ok(20); } Ok(n) };
            let Ok(n) = parse() else { continue };
            fn half(n: i32) -> Option<i32> { if n % 2 == 1 { return None; } Some(Some(n)? / 2) }
            let future = async { let n: i32 = text.parse()?; std::future::ready(n).await; Ok::<i32, ParseIntError>(n) };
            drop(future);
            found.push(half(n).unwrap_or(-n));
        });
        found
    }

    fn exits_in_every_position(workers: usize, texts: &[&str]) -> Result<i64, ParseIntError> {
        struct Pair { a: i64, b: i64 }
        let mut sum = 0i64;
        parallel_for!(workers = workers, reduce(sum), for text in texts {
            let n: i64 = text.parse()?;
            let Some(m) = n.checked_add(text.parse::<i64>()?) else { break };
            let pair = Pair { a: text.parse()?, b: -text.parse::<i64>()? };
            let Pair { a, b } = Pair { a: 1, ..pair };
            match n { k if k > text.parse()? => return Ok(-1), 5 => continue, _ => {} }
            if let (1.., true) = (n, text.parse::<i64>()? > 0) && text.parse::<i64>()? == 4 { sum += 1 }
            let mut rest = n;
            while text.parse::<i64>()? > 0 && rest > 0 { rest -= 1; }
            sum += [text.parse::<i64>()?, a][(text.parse::<i64>()? < 0) as usize] + (text.parse::<i64>()? as i8 as i64);
            sum += { let x: i64 = text.parse()?; x } * if n > 3 { text.parse::<i64>()? } else { b };
            sum += (|x: i64| x + 1)(text.parse()?);
            let _unused = &text.parse::<i64>()?..&10;
            let mut both = (0, n);
            (both.0, _) = (m, 0);
            sum += both.0 + both.1;
        });
        Ok(sum)
    }

    fn exits_that_are_compiled_away(workers: usize, texts: &[&str]) -> Result<i32, ParseIntError> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), 'own: for text in texts {
            #[cfg(any())]
            break;
            #[cfg(any())]
            continue 'own;
            #[cfg(any())]
            return Ok(7);
            #[cfg(any())]
            "x".parse::<i8>()?;
            #[cfg(any())]
            let n: u16 = text.parse()?;
            #[cfg(all())]
            let n = text.parse::<i32>()?;
            #[cfg(any())]
            println!("{}", text.parse::<i64>()?);
            match n {
                #[cfg(any())]
                1 => "y".parse::<u8>()?,
                #[cfg(all())]
                2 => break,
                _ => {}
            }
            #[cfg(any())]
            parallel_for!(for _ in 0..2 { "z".parse::<u32>()?; });
            parallel_for!(for _ in 0..2 { #[cfg(any())] "z".parse::<u32>()?; });
            sum += n;
        });
        Ok(sum)
    }
}

const NUMBERS: &[&[&str]] = &[
    &["1", "2", "3", "4"],
    &["1", "x", "y"],
    &["8", "-5", ""],
    &[],
    &["1", "2", "2", "4", "77"],
];
const INTS: &[&[i32]] = &[
    &[1, 2, 3, 4, 5],
    &[0, -1, 3],
    &[-2, 3],
    &[],
    &[9, 9, 300, 3],
    &[1; 100],
];

#[test]
fn question_mark_gives_the_error_of_the_first_failing_item() {
    for texts in NUMBERS {
        agree(
            |w| question_mark::parallel(w, texts),
            |w| question_mark::sequential(w, texts),
        );
        agree(
            |w| question_mark_converts::parallel(w, texts),
            |w| question_mark_converts::sequential(w, texts),
        );
    }
    for texts in [&["<1>", "<22>"][..], &["<1>", "2>", "<"], &["<>", "x"]] {
        agree(
            |w| question_mark_in_a_chain::parallel(w, texts),
            |w| question_mark_in_a_chain::sequential(w, texts),
        );
    }
    for items in INTS {
        agree(
            |w| question_mark_of_control_flow::parallel(w, items),
            |w| question_mark_of_control_flow::sequential(w, items),
        );
        agree(
            |w| error_made_on_the_spot::parallel(w, items),
            |w| error_made_on_the_spot::sequential(w, items),
        );
    }
}

#[test]
fn return_gives_the_value_of_the_first_returning_item() {
    for words in [&["one", "three", "seven"][..], &["one"], &[]] {
        agree(
            |w| returned_reference::parallel(w, words),
            |w| returned_reference::sequential(w, words),
        );
    }
    for items in INTS {
        agree(
            |w| returned_without_value::parallel(w, items),
            |w| returned_without_value::sequential(w, items),
        );
        agree(
            |w| returned_box_of_a_trait::parallel(w, items),
            |w| returned_box_of_a_trait::sequential(w, items),
        );
        agree(
            |w| returned_with_conversion::parallel(w, items),
            |w| returned_with_conversion::sequential(w, items),
        );
        agree(
            |w| returned_never_type::parallel(w, items),
            |w| returned_never_type::sequential(w, items),
        );
    }
}

#[test]
fn the_lowest_exit_wins_whatever_its_kind() {
    for texts in [
        &["1", "", "2"][..],
        &["1", "stop", "x"],
        &["1", "x", "stop"],
        &["42", "x"],
        &["7", "42", "stop", "x"],
    ] {
        agree(
            |w| everything_at_once::parallel(w, texts),
            |w| everything_at_once::sequential(w, texts),
        );
    }
}

#[test]
fn labels_of_the_function_are_reached() {
    for rows in [
        &[&[1, 2][..], &[3, 0], &[4]][..],
        &[&[1], &[2, -1], &[3]],
        &[],
    ] {
        agree(
            |w| labels_outside::parallel(w, rows),
            |w| labels_outside::sequential(w, rows),
        );
    }
    for items in INTS {
        agree(
            |w| labelled_block_outside::parallel(w, items),
            |w| labelled_block_outside::sequential(w, items),
        );
        agree(
            |w| loop_with_a_value_outside::parallel(w, items),
            |w| loop_with_a_value_outside::sequential(w, items),
        );
    }
}

#[test]
fn loops_closures_and_items_in_the_body_keep_their_own_exits() {
    for items in [&[1, 2, 3, 4][..], &[1, 12, 2], &[1, 13, 2], &[]] {
        agree(
            |w| real_loops_inside::parallel(w, items),
            |w| real_loops_inside::sequential(w, items),
        );
    }
    for texts in NUMBERS {
        agree(
            |w| closures_and_items_own_their_exits::parallel(w, texts),
            |w| closures_and_items_own_their_exits::sequential(w, texts),
        );
    }
}

#[test]
fn exits_work_in_every_position_of_an_expression() {
    for texts in NUMBERS {
        agree(
            |w| exits_in_every_position::parallel(w, texts),
            |w| exits_in_every_position::sequential(w, texts),
        );
    }
}

#[test]
fn what_cfg_removes_is_no_exit() {
    for texts in NUMBERS {
        agree(
            |w| exits_that_are_compiled_away::parallel(w, texts),
            |w| exits_that_are_compiled_away::sequential(w, texts),
        );
    }
}

#[test]
fn main_style_errors_need_not_be_send() {
    fn first_even(texts: &[&str]) -> Result<Option<i32>, Box<dyn Error>> {
        futureproof::parallel_for!(
            workers = 3,
            for text in texts {
                let n: i32 = text.parse()?;
                if n % 2 == 0 {
                    return Ok(Some(n));
                }
            }
        );
        Ok(None)
    }

    assert_eq!(first_even(&["1", "3", "4", "x"]).unwrap(), Some(4));
    assert_eq!(
        first_even(&["1", "x", "4"]).unwrap_err().to_string(),
        "invalid digit found in string"
    );
    assert_eq!(first_even(&["1"]).unwrap(), None);
}

#[test]
fn a_panic_keeps_its_payload() {
    #[derive(Debug, PartialEq)]
    struct Payload(i32);
    let panicked = std::panic::catch_unwind(|| {
        futureproof::parallel_for!(
            workers = 3,
            for n in 0..100 {
                if n >= 40 {
                    std::panic::panic_any(Payload(n));
                }
            }
        );
    });
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&Payload(40)));
}

#[test]
fn the_report_says_how_the_loop_ended() {
    let report = futureproof::parallel_for!(for _ in 0..10 {});
    assert_eq!(
        (report.completed(), report.ended()),
        (10, futureproof::Ended::Exhausted)
    );
    let report = futureproof::parallel_for!(
        workers = 1,
        for n in 0..10 {
            if n == 3 {
                break;
            }
        }
    );
    assert_eq!(
        (report.completed(), report.ended()),
        (4, futureproof::Ended::Broke)
    );
}
