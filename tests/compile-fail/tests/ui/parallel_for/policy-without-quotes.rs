use futureproof::parallel_for;

fn main() -> Result<(), std::num::ParseIntError> {
    parallel_for!(
        error_policy = ignore,
        for word in ["1", "two"] {
            println!("{}", word.parse::<u32>()?);
        }
    );
    Ok(())
}
