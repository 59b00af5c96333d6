use futureproof::parallel_for;

fn main() {
    let mut names: Vec<&str> = Vec::new();
    parallel_for!(
        reduce(names),
        for n in 0..10 {
            let name = n.to_string();
            names.push(&name);
        }
    );
    println!("{names:?}");
}
