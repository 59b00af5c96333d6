use futureproof::parallel_for;

fn main() {
    let mut sum = 0;
    let mut unused = 0;
    parallel_for!(
        workers = 0,
        error_polcy = "log",
        monitor = "1 parsec",
        reduce(unused),
        for n in 0..10 {
            sum += n;
        }
    );
    println!("{sum} {unused}");
}
