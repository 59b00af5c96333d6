use futureproof::ParallelFor;

fn main() {
    let name = String::from("x");
    ParallelFor::new().for_each(0..10, |_| drop(name));
}
