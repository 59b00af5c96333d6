use futureproof::parallel_for;

fn count(calls: &mut u32) {
    *calls += 1;
}

fn main() {
    let mut calls = 0;
    parallel_for!(
        for _ in 0..10 {
            count(&mut calls);
        }
    );
    println!("{calls}");
}
