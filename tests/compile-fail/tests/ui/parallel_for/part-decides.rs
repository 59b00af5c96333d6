use std::collections::HashSet;

use futureproof::parallel_for;

fn main() {
    let (mut sum, mut seen, mut words) = (0, HashSet::new(), Vec::new());
    parallel_for!(
        reduce(sum, seen, words),
        for word in ["a", "b", "a"] {
            sum += word.len();
            if sum > 50 {
                break;
            }
            if seen.insert(word) {
                while words.len() < 3 {
                    words.push(word);
                }
            }
        }
    );
    println!("{sum} {seen:?} {words:?}");
}
