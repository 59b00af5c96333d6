use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for n in 0..10 {
            if n == 3 {
                break 'outer;
            }
        }
    );
}
