use futureproof::parallel_for;

fn main() {
    let mut sum = 0;
    parallel_for!(
        reduce = sum,
        for n in 0..10 {
            sum += n;
        }
    );
    println!("{sum}");
}
