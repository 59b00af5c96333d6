use futureproof::parallel_for;

fn main() {
    let name = String::from("x");
    parallel_for!(
        for _ in 0..10 {
            drop(name);
        }
    );
}
