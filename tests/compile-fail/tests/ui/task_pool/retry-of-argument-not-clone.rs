use futureproof::task_pool;

struct Job;

#[task_pool(retry = 3)]
fn run(job: Job, times: u32) -> Result<u32, String> {
    let Job = job;
    Ok(times)
}

fn main() {
    run(Job, 1).unwrap();
}
