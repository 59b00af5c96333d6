use futureproof::parallel_for;

fn main() {
    parallel_for!(
        #[allow(unused_variables)]
        for n in 0..10 {}
    );
}
