use futureproof::task_pool;

#[task_pool]
fn forever(_seed: u8) -> ! {
    loop {}
}

fn main() {
    forever::scope(|tasks| {
        tasks.submit(1);
    })
    .unwrap();
}
