use futureproof::parallel_for;

fn main() {
    let number = 5;
    let pointer = &raw const number;
    parallel_for!(
        for n in 0..10 {
            println!("{n} {pointer:?}");
        }
    );
}
