use futureproof::parallel_for;

fn main() {
    let mut most = 0;
    parallel_for!(
        reduce(max(most)),
        for n in 0..10 {
            most += n;
        }
    );
    println!("{most}");
}
