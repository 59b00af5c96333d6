use futureproof::task_pool;

#[task_pool]
fn square(number: u32) -> u32 {
    number * number
}

fn main() {
    let lengths = vec![1, 2];
    let squares = square::map(lengths.iter().copied());
    println!("{}", squares.count());
}
