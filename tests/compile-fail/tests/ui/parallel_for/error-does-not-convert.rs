use futureproof::parallel_for;

struct Failed;

fn main() {
    _ = parse();
}

fn parse() -> Result<(), Failed> {
    parallel_for!(
        for text in ["1", "2"] {
            let n: i32 = text.parse()?;
            println!("{n}");
        }
    );
    Ok(())
}
