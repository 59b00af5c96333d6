use std::time::Duration;

use futureproof::parallel_for;

fn main() {
    let interval = Duration::from_secs(1);
    parallel_for!(
        progress = interval,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
