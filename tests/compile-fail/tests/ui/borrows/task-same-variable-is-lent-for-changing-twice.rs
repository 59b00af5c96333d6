use futureproof::task_pool;

#[task_pool(keep_args = false)]
fn add(number: &mut u32) {
    *number += 1;
}

fn main() {
    let mut number = 0;
    add::scope(|tasks| {
        tasks.submit(&mut number);
        tasks.submit(&mut number);
    })
    .unwrap();
}
