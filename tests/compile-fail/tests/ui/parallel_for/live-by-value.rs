use futureproof::{LiveReport, parallel_for};

fn main() {
    let report = LiveReport::new();
    parallel_for!(
        live = report,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
