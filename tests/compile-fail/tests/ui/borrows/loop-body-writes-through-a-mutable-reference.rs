use futureproof::parallel_for;

fn count(calls: &mut u32) {
    parallel_for!(
        for _ in 0..10 {
            *calls += 1;
        }
    );
}

fn main() {
    count(&mut 0);
}
