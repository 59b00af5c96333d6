use std::rc::Rc;

use futureproof::task_pool;

#[task_pool]
fn share(word: &str) -> Rc<str> {
    Rc::from(word)
}

fn main() {
    share("word");
}
