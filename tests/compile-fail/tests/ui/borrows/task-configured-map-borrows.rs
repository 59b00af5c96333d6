use futureproof::task_pool;

#[task_pool]
fn length(word: &str) -> usize {
    word.len()
}

fn main() {
    let line = String::from("one two");
    let lengths = length::configure().map(line.split(' '));
    println!("{}", lengths.count());
}
