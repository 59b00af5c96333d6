use futureproof::parallel_for;

fn main() {
    let (mut a, mut b) = (0, 0);
    parallel_for!(
        reduce(a),
        reduce(b),
        for n in 0..10 {
            a += n;
            b += n;
        }
    );
    println!("{a} {b}");
}
