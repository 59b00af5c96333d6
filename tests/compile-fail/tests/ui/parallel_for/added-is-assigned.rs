use futureproof::parallel_for;

fn main() {
    let mut last = 0;
    parallel_for!(
        reduce(last),
        for n in 0..10 {
            last = n;
        }
    );
    println!("{last}");
}
