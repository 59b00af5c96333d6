use futureproof::parallel_for;

fn main() {
    let policy = String::from("log");
    parallel_for!(
        error_policy = policy,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
