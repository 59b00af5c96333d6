use futureproof::parallel_for;

macro_rules! give_up {
    () => {
        return
    };
}

fn main() {
    parallel_for!(
        for n in 0..10 {
            if n == 3 {
                give_up!();
            }
        }
    );
}
