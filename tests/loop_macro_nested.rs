//! A `parallel_for!` in the body of another one: its exits go where they go in nested `for` loops.

mod twins;

use std::num::ParseIntError;

use twins::{agree, twins};

twins! {
    fn sums(workers: usize, rows: &[&[&str]]) -> Result<(i64, Vec<i64>), ParseIntError> {
        let (mut sum, mut all) = (0, Vec::new());
        parallel_for!(workers = workers, reduce(sum, all), for row in rows {
            let mut own = Vec::new();
            parallel_for!(workers = workers, reduce(sum, own), for text in *row {
                let n = text.parse::<i64>()?;
                sum += n;
                own.push(n);
            });
            all.extend(own);
        });
        Ok((sum, all))
    }

    fn labels(workers: usize, rows: &[&[&str]]) -> (Vec<String>, Option<String>) {
        let mut seen = Vec::new();
        let mut run = || {
            let found: i32 = 'found: {
                parallel_for!(workers = workers, reduce(seen), 'rows: for row in rows {
                    seen.push("row".to_owned());
                    parallel_for!(workers = workers, reduce(seen), 'texts: for text in *row {
                        for letter in text.chars() {
                            match letter {
                                'c' => continue 'texts,
                                'b' => break 'texts,
                                'C' => continue 'rows,
                                'B' => break 'rows,
                                'F' => break 'found text.len() as i32,
                                'R' => return Some((*text).to_owned()),
                                'N' => None?,
                                _ => {}
                            }
                        }
                        seen.push((*text).to_owned());
                    });
                    seen.push("end".to_owned());
                });
                -1
            };
            Some(found.to_string())
        };
        let result = run();
        (seen, result)
    }

    fn between_real_loops(workers: usize, rows: &[&[&str]]) -> Vec<(usize, usize)> {
        let mut seen = Vec::new();
        parallel_for!(workers = workers, reduce(seen), 'rows: for row in rows {
            let mut turns = 0;
            'turns: while turns < 3 {
                turns += 1;
                let length = 'length: {
                    parallel_for!(workers = workers, for text in *row {
                        match *text {
                            "turn" => continue 'turns,
                            "turns" => break 'turns,
                            "length" => break 'length 9,
                            "row" => continue 'rows,
                            "rows" => break 'rows,
                            _ => {}
                        }
                    });
                    row.len()
                };
                seen.push((turns, length));
            }
            seen.push((0, turns));
        });
        seen
    }

    fn three_deep(workers: usize, cubes: &[&[&[i32]]]) -> Result<i32, String> {
        let mut sum = 0;
        parallel_for!(workers = workers, reduce(sum), 'a: for plane in cubes {
            parallel_for!(workers = workers, reduce(sum), 'b: for row in *plane {
                parallel_for!(workers = workers, reduce(sum), 'c: for item in *row {
                    match item {
                        1 => break 'a, 2 => break 'b, 3 => break 'c, 4 => continue 'a, 5 => continue 'b, 6 => continue 'c,
                        7 => Err(format!("seven"))?, 8 => return Ok(88), 9 => return Err("nine".to_string()),
                        n => sum += n,
                    }
                });
                sum += 1000;
            });
            sum += 1_000_000;
        });
        Ok(sum)
    }

    fn in_head_and_options(workers: usize, texts: &[&str]) -> Result<usize, ParseIntError> {
        let mut count = 0;
        parallel_for!(workers = workers, reduce(count), for text in texts {
            parallel_for!(workers = text.parse::<usize>()?, reduce(count), for _ in (0..{ if *text == "3" { break } text.parse::<usize>()? }) {
                count += 1;
            });
            count += 100;
        });
        Ok(count)
    }

    fn in_a_closure(workers: usize, rows: &[&[&str]]) -> Vec<Option<i32>> {
        let mut found = Vec::new();
        parallel_for!(workers = workers, reduce(found), for row in rows {
            let first = || {
                parallel_for!(workers = workers, for text in *row {
                    if let Ok(n) = text.parse::<i32>() { return Some(n); }
                });
                None
            };
            found.push(first());
        });
        found
    }
}

const ROWS: &[&[&[&str]]] = &[
    &[&["1", "2"], &[], &["3"]],
    &[&["1"], &["2", "x", "y"], &["z"]],
    &[&["-c", "-", "b", "-"], &["-", "B", "F"], &["-"]],
    &[&["-", "C", "-"], &["-", "F", "R"]],
    &[
        &["turn"],
        &["turns"],
        &["length"],
        &["row"],
        &["rows"],
        &["x"],
    ],
    &[&["-", "R"], &["N"]],
    &[&["-"], &["N", "F"]],
    &[],
];

#[test]
fn question_mark_and_reduce_pass_through() {
    for rows in ROWS {
        agree(|w| sums::parallel(w, rows), |w| sums::sequential(w, rows));
    }
}

#[test]
fn labels_of_every_loop_are_reached() {
    for rows in ROWS {
        agree(
            |w| labels::parallel(w, rows),
            |w| labels::sequential(w, rows),
        );
        agree(
            |w| between_real_loops::parallel(w, rows),
            |w| between_real_loops::sequential(w, rows),
        );
    }
}

#[test]
fn three_loops_deep() {
    for exit in 1..12 {
        let row: &[i32] = &[10, exit, 11];
        let cubes: &[&[&[i32]]] = &[&[&[20], row, &[21]], &[&[22], &[23, 24]], &[row, row]];
        agree(
            |w| three_deep::parallel(w, cubes),
            |w| three_deep::sequential(w, cubes),
        );
    }
}

#[test]
fn the_head_of_an_inner_loop_belongs_to_the_outer_body() {
    for texts in [&["1", "2"][..], &["2", "3", "x"], &["2", "x"], &[]] {
        agree(
            |w| in_head_and_options::parallel(w, texts),
            |w| in_head_and_options::sequential(w, texts),
        );
    }
}

#[test]
fn a_closure_owns_the_loop_in_it() {
    for rows in ROWS {
        agree(
            |w| in_a_closure::parallel(w, rows),
            |w| in_a_closure::sequential(w, rows),
        );
    }
}

#[test]
fn each_loop_has_its_own_policy() {
    let mut inner_failed = 0;
    let report = futureproof::parallel_for!(
        workers = 2,
        error_policy = "ignore",
        reduce(inner_failed),
        for text in ["1", "x"] {
            // The inner loop raises; for the outer one that is the item's failure, whatever the error's type.
            futureproof::parallel_for!(for _ in 0..2 {
                text.parse::<i32>()?;
            });
            let inner = futureproof::parallel_for!(
                error_policy = "ignore",
                for _ in 0..2 {
                    Err::<(), &str>("inner")?;
                }
            );
            inner_failed += inner.failed();
        }
    );
    assert_eq!(
        (report.completed(), report.failed(), inner_failed),
        (1, 1, 2)
    );
}

#[test]
fn a_nested_loop_is_an_expression() {
    let mut completed = 0;
    futureproof::parallel_for!(
        workers = 2,
        reduce(completed),
        for n in 0_usize..4 {
            completed += futureproof::parallel_for!(for _ in 0..n {}).completed();
            let report = futureproof::parallel_for!(workers = 2, for _ in 0..n {});
            completed += report.completed();
        }
    );
    assert_eq!(completed, 12);
}
