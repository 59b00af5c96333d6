use futureproof::parallel_for;

fn main() -> Result<(), String> {
    parallel_for!(
        for n in 0..10 {
            n.to_string()?;
        }
    );
    Ok(())
}
