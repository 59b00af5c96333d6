use futureproof::task_pool;

#[task_pool(workers = 5)]
struct Length;

fn main() {
    let _ = Length;
}
