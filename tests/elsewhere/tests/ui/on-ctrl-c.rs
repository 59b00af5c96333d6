use concurrent::{parallel_for, StopToken};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = StopToken::on_ctrl_c()?;
    parallel_for!(
        stop = &token,
        for n in 0..10 {
            println!("{n}");
        }
    )?;
    Ok(())
}
