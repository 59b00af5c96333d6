use futureproof::parallel_for;

struct Totals {
    bytes: u64,
}

fn main() {
    let mut totals = Totals { bytes: 0 };
    parallel_for!(
        reduce(totals.bytes),
        for n in 0..10u64 {
            totals.bytes += n;
        }
    );
    println!("{}", totals.bytes);
}
