use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for n in 0..10 {
            println!("{n}");
        },
        workers = 4
    );
}
