use futureproof::parallel_for;

fn main() {
    let (mut squares, mut cubes) = (vec![0; 10], [0; 10]);
    parallel_for!(
        reduce(cubes),
        for n in 0..10 {
            squares[n] = n * n;
            cubes[n] = n * n * n;
        }
    );
    println!("{squares:?} {cubes:?}");
}
