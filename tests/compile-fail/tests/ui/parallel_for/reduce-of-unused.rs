use futureproof::parallel_for;

fn main() {
    let mut sum = 0;
    let count = 0;
    parallel_for!(
        reduce(sum, count),
        for n in 0..10 {
            sum += n;
        }
    );
    println!("{sum} {count}");
}
