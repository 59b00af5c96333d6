use futureproof::task_pool;

#[task_pool]
extern "C" fn double(number: u8) -> u8 {
    number * 2
}

fn main() {
    double::scope(|tasks| {
        tasks.submit(1);
    })
    .unwrap();
}
