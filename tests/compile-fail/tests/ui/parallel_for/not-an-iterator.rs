use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for n in 10 {
            println!("{n}");
        }
    );
}
