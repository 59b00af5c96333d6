use futureproof::parallel_for;

struct Opaque;

impl std::ops::AddAssign<i32> for Opaque {
    fn add_assign(&mut self, _: i32) {}
}

fn main() {
    let mut sum = Opaque;
    parallel_for!(
        reduce(sum),
        for n in 0..10 {
            sum += n;
        }
    );
    drop(sum);
}
