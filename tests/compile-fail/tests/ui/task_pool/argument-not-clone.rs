use futureproof::task_pool;

struct Job;

#[task_pool]
fn run(job: Job, times: u32) -> u32 {
    let Job = job;
    times
}

fn main() {
    run(Job, 1);
}
