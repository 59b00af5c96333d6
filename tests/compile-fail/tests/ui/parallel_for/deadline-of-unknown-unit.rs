use futureproof::parallel_for;

fn main() {
    let report = parallel_for!(
        deadline = "5 fortnights",
        for n in 0..10 {
            println!("{n}");
        }
    );
    println!("{}", report.is_ok());
}
