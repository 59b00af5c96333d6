use futureproof::parallel_for;

fn main() {
    let queue = std::sync::Mutex::new(vec![1, 2, 3]);
    parallel_for!(
        while let Some(n) = queue.lock().unwrap().pop() {
            println!("{n}");
        }
    );
}
