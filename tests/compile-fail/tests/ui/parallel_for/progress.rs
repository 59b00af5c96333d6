use futureproof::parallel_for;

fn main() {
    parallel_for!(
        progress = true,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
