use futureproof::parallel_for;

fn main() {
    parallel_for!(
        local(buffer),
        for n in 0..10 {
            println!("{n}");
        }
    );
}
