use std::sync::Mutex;

use futureproof::parallel_for;

fn main() {
    let locks = [Mutex::new(1), Mutex::new(2)];
    let guards: Vec<_> = locks.iter().map(|lock| lock.lock().unwrap()).collect();
    parallel_for!(
        for guard in guards {
            println!("{guard}");
        }
    );
}
