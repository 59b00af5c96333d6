use futureproof::parallel_for;

fn main() {
    let numbers = [1, 2, 3];
    parallel_for!(for n in numbers);
}
