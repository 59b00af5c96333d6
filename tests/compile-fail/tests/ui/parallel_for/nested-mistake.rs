use futureproof::parallel_for;

fn main() {
    parallel_for!(
        for row in [[1, 2], [3, 4]] {
            parallel_for!(
                wrokers = 2,
                for n in row {
                    println!("{n}");
                }
            );
        }
    );
}
