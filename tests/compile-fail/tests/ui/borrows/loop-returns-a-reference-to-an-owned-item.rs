use futureproof::parallel_for;

fn longest(texts: Vec<String>) -> Option<&'static str> {
    parallel_for!(
        for text in texts {
            if text.len() > 3 {
                return Some(text.as_str());
            }
        }
    );
    None
}

fn main() {
    longest(vec![String::from("word")]);
}
