use futureproof::task_pool;

#[task_pool(retry = 3, keep_args = false)]
fn fill(row: &mut Vec<u8>) -> Result<(), String> {
    row.fill(0);
    Ok(())
}

fn main() {
    let mut row = vec![1];
    fill::scope(|tasks| {
        tasks.submit(&mut row);
    })
    .unwrap();
}
