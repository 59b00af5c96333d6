use futureproof::ParallelFor;

fn check(text: &str) -> Result<(), &str> {
    if text.is_empty() { Err(text) } else { Ok(()) }
}

fn main() {
    let texts = vec![String::from("a"), String::from("b")];
    ParallelFor::new().try_for_each(texts, |text| check(&text)).unwrap();
}
