use futureproof::parallel_for;

fn find() -> Option<i32> {
    parallel_for!(
        for text in ["1", "2"] {
            if text.len() == 1 {
                return Some(text);
            }
        }
    );
    None
}

fn main() {
    find();
}
