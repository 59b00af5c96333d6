use futureproof::parallel_for;

fn main() {
    let mut product = 1;
    parallel_for!(
        reduce(product(product)),
        for n in 1..10 {
            product *= n;
        }
    );
    println!("{product}");
}
