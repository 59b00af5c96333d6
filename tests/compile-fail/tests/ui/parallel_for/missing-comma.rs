use futureproof::parallel_for;

fn main() {
    parallel_for!(
        workers = 4
        for n in 0..10 {
            println!("{n}");
        }
    );
}
