use futureproof::task_pool;

#[task_pool]
fn show(pointer: *const [u8]) {
    println!("{pointer:?}");
}

fn main() {
    show(&raw const *"word".as_bytes());
}
