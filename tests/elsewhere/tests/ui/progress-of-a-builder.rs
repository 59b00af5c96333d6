use concurrent::{ParallelFor, task_pool};

#[task_pool(crate = concurrent)]
fn double(n: u32) -> u32 {
    2 * n
}

fn main() {
    ParallelFor::new().progress(true).for_each(0..3, |_| ());
    double::configure().progress("double").submit(4).join().unwrap();
}
