use futureproof::parallel_for;

fn main() {
    let mut numbers = vec![1, 2, 3];
    parallel_for!(
        for number in &mut numbers {
            *number += numbers.len();
        }
    );
}
