use concurrent::parallel_for;

fn main() {
    let label = "numbers";
    parallel_for!(
        workers = 2,
        progress = label,
        for n in 0..10 {
            println!("{n}");
        }
    );
}
