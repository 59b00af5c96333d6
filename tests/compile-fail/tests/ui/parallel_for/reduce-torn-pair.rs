use futureproof::parallel_for;

fn main() {
    let words = ["three", "one", "four"];
    let (mut longest, mut length) = ("", 0);
    parallel_for!(
        reduce(max(longest), max(length)),
        for word in words {
            if word.len() > length {
                length = word.len();
                longest = word;
            }
        }
    );
    println!("{longest} {length}");
}
