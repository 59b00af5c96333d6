use futureproof::parallel_for;

fn main() {
    parallel_for!(
        workers = 2,
        loop {
            break;
        }
    );
}
