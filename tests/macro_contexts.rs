//! The macros inside whatever may be around them: generic, const and async functions, traits, closures, statics, operands.

use std::fmt::Display;
use std::future::Future;
use std::num::ParseIntError;
use std::pin::pin;
use std::str::FromStr;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use futureproof::{Report, parallel_for, task_pool};

/// The value of a future that never waits.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn parse_all<'a, T, E, I, const N: usize>(texts: I) -> Result<[Vec<T>; N], E>
where
    T: FromStr<Err = E> + Send,
    E: Send + Display,
    I: IntoIterator<Item = &'a str>,
{
    let mut found = [const { Vec::new() }; N];
    let mut all: Vec<(usize, T)> = Vec::new();
    parallel_for!(
        workers = const { N + 1 },
        reduce(all),
        for (index, text) in texts.into_iter().enumerate() {
            all.push((index % N, text.parse::<T>()?));
        }
    );
    for (place, value) in all {
        found[place].push(value);
    }
    Ok(found)
}

#[test]
fn a_loop_in_a_generic_function_uses_its_parameters() {
    let [odd, even] = parse_all::<i32, _, _, 2>(["1", "2", "3"]).unwrap();
    assert_eq!((odd, even), (vec![1, 3], vec![2]));
    let failed: Result<[Vec<u8>; 1], ParseIntError> = parse_all(["1", "x"]);
    assert!(failed.is_err());
}

fn make_all<T, R: Send>(
    items: Vec<T>,
    make: impl Fn(T) -> Option<R> + Sync,
) -> impl Iterator<Item = R>
where
    T: Send,
{
    let mut made = Vec::new();
    parallel_for!(
        reduce(made),
        for item in items {
            let Some(one) = make(item) else { break };
            made.push(one);
        }
    );
    made.into_iter()
}

#[test]
fn a_loop_calls_closures_of_unnamed_types_and_feeds_iterators_of_unnamed_types() {
    let suffix = String::from("!");
    let made = make_all(vec!["a", "b", "", "c"], |text| {
        (!text.is_empty()).then(|| format!("{text}{suffix}"))
    });
    assert_eq!(made.collect::<Vec<_>>(), ["a!", "b!"]);
}

const SUM: fn(&[u32]) -> u32 = |numbers| {
    let mut sum = 0;
    parallel_for!(
        reduce(sum),
        for number in numbers {
            const FACTOR: u32 = 2;
            sum += FACTOR * number;
        }
    );
    sum
};

static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut squares = Vec::new();
    parallel_for!(
        reduce(squares),
        for n in 0..4 {
            squares.push(n * n)
        }
    );
    squares
});

#[test]
fn a_loop_stands_in_constants_and_statics() {
    assert_eq!(SUM(&[1, 2, 3]), 12);
    assert_eq!(*SQUARES, [0, 1, 4, 9]);
}

async fn add_all(texts: &[&str]) -> Result<i32, ParseIntError> {
    let mut sum = 0;
    parallel_for!(
        reduce(sum),
        for text in texts {
            sum += text.parse::<i32>()?
        }
    );
    let one = async { 1 }.await;
    Ok(sum + one)
}

#[test]
fn a_loop_in_an_async_function_leaves_that_function() {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    assert_eq!(ready(is_send(add_all(&["1", "2"]))), Ok(4));
    assert!(ready(add_all(&["1", "x"])).is_err());
}

#[test]
fn a_loop_in_an_async_block_leaves_that_block() {
    let texts = ["1", "x"];
    let block = async {
        parallel_for!(for text in texts {
            text.parse::<i32>()?;
        });
        Ok::<_, ParseIntError>(())
    };
    assert!(ready(block).is_err());
    let closure = async |limit: i32| {
        parallel_for!(for n in 0.. {
            if n == limit {
                return n;
            }
        });
        -1
    };
    assert_eq!(ready(closure(5)), 5);
}

trait Store {
    type Key: FromStr<Err: Send + Display> + Send;
    const WORKERS: usize;

    fn has(&self, key: &Self::Key) -> bool;

    fn missing(&self, keys: &[&str]) -> Result<Option<usize>, <Self::Key as FromStr>::Err>
    where
        Self: Sync,
    {
        parallel_for!(
            workers = Self::WORKERS,
            for (index, key) in keys.iter().enumerate() {
                if !self.has(&key.parse::<Self::Key>()?) {
                    return Ok(Some(index));
                }
            }
        );
        Ok(None)
    }
}

struct Below<T>(T);

impl<T: FromStr<Err: Send + Display> + PartialOrd + Send> Store for Below<T> {
    type Key = T;
    const WORKERS: usize = 2;

    fn has(&self, key: &T) -> bool {
        *key < self.0
    }
}

#[test]
fn a_loop_in_a_trait_uses_its_types_and_constants() {
    assert_eq!(Below(5_u8).missing(&["1", "7", "9"]), Ok(Some(1)));
    assert!(Below(5_u8).missing(&["1", "256"]).is_err());
    let objects: [&(dyn Display + Sync); 2] = [&5, &"9"];
    parallel_for!(for object in objects {
        assert_eq!(object.to_string().len(), 1);
    });
}

#[test]
fn a_loop_in_a_closure_leaves_that_closure() {
    let texts = vec!["1", "2", "x"];
    let count = |from: usize| -> Result<usize, ParseIntError> {
        parallel_for!(for text in &texts[..from] {
            text.parse::<u8>()?;
        });
        Ok(from)
    };
    assert_eq!((count(2), count(3).is_err()), (Ok(2), true));
    let owned = move || -> Option<&'static str> {
        parallel_for!(for text in texts {
            if text > "1" {
                return Some(text);
            }
        });
        None
    };
    assert_eq!(owned(), Some("2"));
}

#[test]
fn a_loop_is_an_operand_like_any_expression() {
    fn completed(report: &Report) -> u64 {
        report.completed()
    }
    let numbers = [1, 2, 3];
    assert_eq!(completed(&parallel_for!(for _ in numbers {})), 3);
    let sum = parallel_for!(for _ in numbers {}).completed()
        + parallel_for!(for _ in 0..4 {}).completed();
    assert_eq!(sum, 7);
    let text = match parallel_for!(for n in numbers {
        if n == 2 {
            break;
        }
    })
    .completed()
    {
        2 if parallel_for!(for _ in 0..0 {}).completed() == 0 => "two",
        _ => "others",
    };
    assert_eq!(text, "two");
    let Ok(report) = parallel_for!(deadline = "1m", for _ in numbers {}) else {
        panic!("there was time");
    };
    assert_eq!(report.completed(), 3);
}

struct Request<'a> {
    text: &'a str,
}

impl Request<'_> {
    fn send(self) -> Result<i32, ParseIntError> {
        self.text.parse()
    }
}

#[test]
fn a_question_mark_may_follow_a_struct_literal() {
    fn add_all(texts: &[&str]) -> Result<i32, ParseIntError> {
        let mut sum = 0;
        parallel_for!(
            reduce(sum),
            for text in texts {
                sum += Request { text }.send()?;
                sum -= -Request { text }.send()?;
            }
        );
        Ok(sum)
    }
    assert_eq!(add_all(&["1", "2"]), Ok(6));
    assert!(add_all(&["1", "x"]).is_err());
}

struct Saves(&'static std::sync::Mutex<Vec<u8>>);

impl Drop for Saves {
    fn drop(&mut self) {
        let saved = self.0;
        parallel_for!(for n in 0..3 {
            saved.lock().unwrap().push(n)
        });
    }
}

#[test]
fn a_loop_in_a_destructor_runs() {
    static SAVED: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());
    drop(Saves(&SAVED));
    let mut saved = SAVED.lock().unwrap().clone();
    saved.sort_unstable();
    assert_eq!(saved, [0, 1, 2]);
}

#[test]
fn a_pool_stands_in_a_closure_in_a_constant_and_in_an_async_block() {
    let in_closure = |number: u8| {
        #[task_pool]
        fn double(number: u8) -> u8 {
            2 * number
        }
        double::submit(number).join().unwrap()
    };
    const IN_CONSTANT: fn(u8) -> u8 = |number| {
        #[task_pool]
        fn triple(number: u8) -> u8 {
            3 * number
        }
        triple::submit(number).join().unwrap()
    };
    let in_async = async {
        #[task_pool]
        fn square(number: u8) -> u8 {
            number * number
        }
        square::map([1, 2, 3])
            .map(|done| done.unwrap().result)
            .sum::<u8>()
    };
    assert_eq!(
        (in_closure(4), IN_CONSTANT(4), ready(in_async)),
        (8, 12, 14)
    );
}

/// `arg1` is also what the companion calls a second parameter without a name.
#[task_pool]
fn named_as_the_companion_names(arg1: u8, (a, b): (u8, u8), arg2: u8) -> u8 {
    arg1 + a + b + arg2
}

#[test]
fn parameters_may_have_the_names_that_a_companion_gives() {
    let sum = named_as_the_companion_names::submit(1, (2, 3), 4);
    assert_eq!(sum.join().unwrap(), 10);
}
