use futureproof::parallel_for;

fn check(text: &str) -> Result<(), &str> {
    if text.is_empty() { Err(text) } else { Ok(()) }
}

fn check_all(texts: Vec<String>) -> Result<(), &'static str> {
    parallel_for!(
        for text in texts {
            check(&text)?;
        }
    );
    Ok(())
}

fn main() {
    check_all(vec![String::from("word")]).unwrap();
}
