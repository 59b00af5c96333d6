use futureproof::parallel_for;

fn main() {
    parallel_for!(
        error_policy = "rise",
        for n in 0..10 {
            println!("{n}");
        }
    );
}
