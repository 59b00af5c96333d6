use futureproof::parallel_for;

fn find() -> i32 {
    parallel_for!(
        for text in ["1", "2"] {
            if text.len() == 1 {
                return text;
            }
        }
    );
    0
}

fn main() {
    find();
}
