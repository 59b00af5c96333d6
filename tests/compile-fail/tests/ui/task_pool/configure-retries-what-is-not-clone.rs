use futureproof::task_pool;

struct Job;

#[task_pool(keep_args = false)]
fn run(job: Job) -> Result<u32, String> {
    let Job = job;
    Ok(5)
}

fn main() {
    run::configure().retry(3).submit(Job);
}
