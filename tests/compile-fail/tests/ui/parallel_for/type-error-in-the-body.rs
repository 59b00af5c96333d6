use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for n in 0..10u8 {
            let text: String = n;
            println!("{text}");
        }
    );
}
