use futureproof::parallel_for;

fn main() {
    let mut squares = Vec::new();
    parallel_for!(
        for n in 0..10 {
            squares.push(n * n);
        }
    );
    println!("{squares:?}");
}
