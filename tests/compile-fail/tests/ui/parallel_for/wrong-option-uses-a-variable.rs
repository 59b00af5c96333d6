#![deny(unused)]

use futureproof::parallel_for;

fn main() {
    let threads = 4;
    let mut sum = 0;
    parallel_for!(
        threads = threads,
        reduce(sum),
        for n in 0..10 {
            sum += n;
        }
    );
    println!("{sum}");
}
