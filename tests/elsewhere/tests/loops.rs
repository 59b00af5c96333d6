//! Loops through a renamed dependency and through a re-export, in edition 2021.

use std::num::ParseIntError;

use concurrent::parallel_for;

fn renamed(texts: &[&str]) -> Result<i32, ParseIntError> {
    let mut sum = 0;
    parallel_for!(
        workers = 2,
        reduce(sum),
        for text in texts {
            concurrent::parallel_for!(
                reduce(sum),
                for _ in 0..2 {
                    sum += text.parse::<i32>()?;
                }
            );
        }
    );
    Ok(sum)
}

fn reexported(texts: &[&str]) -> Option<usize> {
    futureproof_elsewhere::each_at_once!(
        workers = 2,
        for (index, text) in texts.iter().enumerate() {
            if text.parse::<i32>().is_err() {
                return Some(index);
            }
        }
    );
    None
}

/// What `?` gives is inferred as in edition 2021: `()` where nothing else is known.
fn never_type_falls_back(items: &[i32]) -> Result<(), String> {
    parallel_for!(for item in items {
        if *item < 0 {
            Err(format!("{item} is negative"))?;
        }
    });
    Ok(())
}

#[test]
fn the_crate_may_have_another_name() {
    assert_eq!(renamed(&["1", "2"]), Ok(6));
    assert!(renamed(&["1", "x"]).is_err());
    assert_eq!(reexported(&["1", "x", "y"]), Some(1));
    assert_eq!(
        never_type_falls_back(&[1, -2, -3]),
        Err("-2 is negative".to_owned())
    );
}

#[test]
fn a_crates_own_macro_may_run_a_loop() {
    let mut sum = 0;
    futureproof_elsewhere::sum_at_once!(sum; (index, _) in ["a", "b", "c"].iter().enumerate() => index);
    assert_eq!(sum, 3);
}

/// `gen` is a keyword of later editions only, and `if let` keeps its temporaries longer than there.
#[test]
fn edition_2021_stays_edition_2021() {
    fn first(gen: &[Result<u8, String>]) -> Option<u8> {
        parallel_for!(
            workers = 2,
            'gen: for gen in gen {
                let lock = std::sync::Mutex::new(gen.clone());
                if let Ok(number) = lock.lock().unwrap().as_ref() {
                    return Some(*number);
                } else {
                    assert!(lock.try_lock().is_err());
                    continue 'gen;
                }
            }
        );
        None
    }
    assert_eq!(first(&[Err("x".to_owned()), Ok(5), Ok(6)]), Some(5));
}
