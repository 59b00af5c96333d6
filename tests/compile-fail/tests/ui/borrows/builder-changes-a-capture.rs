use futureproof::ParallelFor;

fn main() {
    let mut sum = 0;
    ParallelFor::new().for_each(0..10, |n| sum += n);
    println!("{sum}");
}
