use futureproof::parallel_for;

fn main() {
    let found: &str = 'found: {
        parallel_for!(
            for n in 0..10 {
                let text = n.to_string();
                break 'found &text;
            }
        );
        "none"
    };
    println!("{found}");
}
