use futureproof::task_pool;

#[task_pool(error_policy = log)]
fn half(n: u32) -> u32 {
    n / 2
}

fn main() {
    half::submit(4);
}
