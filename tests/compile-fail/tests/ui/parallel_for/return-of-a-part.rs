use futureproof::parallel_for;

fn total() -> i32 {
    let mut sum = 0;
    parallel_for!(
        reduce(sum),
        for n in 0..10 {
            sum += n;
            if n == 5 {
                return sum * 2;
            }
        }
    );
    sum
}

fn main() {
    total();
}
