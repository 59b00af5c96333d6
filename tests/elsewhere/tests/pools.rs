//! Pools through a renamed dependency and through a re-export, in edition 2021.

use std::num::ParseIntError;

use concurrent::{parallel_for, task_pool};
use futureproof_elsewhere::{doubled, pooled};

#[task_pool(workers = 2, error_policy = "ignore", retry = 2, timeout = "1m", crate = concurrent)]
fn parse(text: &str, gen: u8) -> Result<u8, ParseIntError> {
    let number: u8 = text.parse()?;
    parallel_for!(for gen in 0..gen {
        assert!(gen < 9)
    });
    Ok(number + gen)
}

#[pooled(crate = futureproof_elsewhere::engine)]
fn length<T: AsRef<str> + Sync>(text: &T) -> usize {
    text.as_ref().len()
}

struct Client {
    base: u8,
}

impl Client {
    #[pooled(crate = futureproof_elsewhere::engine)]
    fn add(&self, number: u8) -> u8 {
        self.base + number
    }
}

doubled!(twice: u32);

#[test]
fn a_renamed_crate_is_named_by_an_option() {
    let line = String::from("1 x 3");
    let mut sum = 0;
    parse::scope(|tasks| {
        for word in line.split(' ') {
            tasks.submit(word, 2);
        }
        sum = tasks.as_completed().flatten().map(|done| done.result).sum();
    })
    .unwrap();
    assert_eq!(sum, 8);
}

#[test]
fn a_crate_may_offer_the_attribute_as_its_own() {
    assert_eq!(length::submit(&"word").join().unwrap(), 4);
    static CLIENT: Client = Client { base: 5 };
    assert_eq!(Client::add_submit(&CLIENT, 2).join().unwrap(), 7);
}

#[test]
fn a_crates_own_macro_may_make_pools() {
    assert_eq!(twice::submit(4).join().unwrap(), 8);
    assert_eq!(twice::pool().workers(), 2);
}
