use std::rc::Rc;

use futureproof::task_pool;

#[task_pool]
fn length(word: Rc<str>) -> usize {
    word.len()
}

fn main() {
    length(Rc::from("word"));
}
