use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for n 0..10 {
            println!("{n}");
        }
    );
}
