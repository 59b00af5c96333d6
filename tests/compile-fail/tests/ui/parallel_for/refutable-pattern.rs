use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for Some(n) in [Some(1), None] {
            println!("{n}");
        }
    );
}
