use futureproof::parallel_for;

fn main() {
    let (mut next, mut found) = (0, Vec::new());
    parallel_for!(
        reduce(next, found),
        for word in ["a", "b"] {
            found.push((next, word));
            next += 1;
            println!("{} so far", found.len());
        }
    );
    println!("{found:?} {next}");
}
