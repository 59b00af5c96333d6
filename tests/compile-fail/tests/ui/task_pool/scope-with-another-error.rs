use futureproof::task_pool;

#[task_pool]
fn half(n: u32) -> u32 {
    n / 2
}

fn main() {
    half::scope(|tasks| {
        tasks.submit(4);
        Err::<(), _>("too few")
    })
    .unwrap();
}
