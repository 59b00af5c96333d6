use futureproof::parallel_for;

fn main() {
    parallel_for!();
}
