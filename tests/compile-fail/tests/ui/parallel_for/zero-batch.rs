use futureproof::parallel_for;

fn main() {
    parallel_for!(
        batch = 0,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
