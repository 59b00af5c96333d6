use futureproof::parallel_for;

fn main() {
    parallel_for!(
        live = true,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
