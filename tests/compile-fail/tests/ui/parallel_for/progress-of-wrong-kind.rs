use futureproof::parallel_for;

fn main() {
    parallel_for!(
        progress = 5,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
