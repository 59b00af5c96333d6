use futureproof::parallel_for;

fn main() {
    parallel_for!(
        error_policy = 3,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
