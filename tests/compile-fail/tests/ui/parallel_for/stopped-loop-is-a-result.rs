#![deny(unused_must_use)]

use futureproof::{StopToken, parallel_for};

fn main() {
    let token = StopToken::new();
    parallel_for!(
        stop = &token,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
