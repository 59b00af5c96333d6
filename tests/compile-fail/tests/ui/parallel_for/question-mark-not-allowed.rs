use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for text in ["1", "2"] {
            let n: i32 = text.parse()?;
            println!("{n}");
        }
    );
}
