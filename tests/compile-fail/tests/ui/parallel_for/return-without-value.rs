use futureproof::parallel_for;

fn find() -> i32 {
    parallel_for!(
        for n in 0..10 {
            if n == 3 {
                return;
            }
        }
    );
    0
}

fn main() {
    find();
}
