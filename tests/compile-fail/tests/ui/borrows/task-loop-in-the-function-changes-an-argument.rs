use futureproof::{parallel_for, task_pool};

#[task_pool(keep_args = false)]
fn add(number: &mut u32) {
    parallel_for!(
        for _ in 0..10 {
            *number += 1;
        }
    );
}

fn main() {
    add(&mut 0);
}
