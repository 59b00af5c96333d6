use futureproof::parallel_for;

fn main() {
    parallel_for!(
        chunk_size = 4,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
