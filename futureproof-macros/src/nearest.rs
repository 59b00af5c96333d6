//! The "did you mean" of every list of valid names.

/// The candidate that `word` was most likely meant to be, if any is close enough to be worth naming.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let (best, edits) = candidates
        .iter()
        .map(|&candidate| (candidate, distance(word, candidate)))
        .min_by_key(|&(_, edits)| edits)?;
    // A third of the letters may be wrong, and one letter always: more is a guess, not a hint.
    let tolerated = (word.chars().count().max(best.chars().count()) / 3).max(1);
    (edits <= tolerated).then_some(best)
}

/// Edit distance with insertion, deletion, substitution and the swap of two neighbours each costing 1, case ignored.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut edits = substituted.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                let swapped: usize = before[j - 2];
                edits = edits.min(swapped + 1);
            }
            row.push(edits);
        }
        before = above;
        above = row;
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[&str] = &["workers", "error_policy", "pool", "name", "reduce", "stop"];

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("worker", OPTIONS), Some("workers"));
        assert_eq!(nearest("wrokers", OPTIONS), Some("workers"));
        assert_eq!(nearest("errorpolicy", OPTIONS), Some("error_policy"));
        assert_eq!(nearest("Reduce", OPTIONS), Some("reduce"));
        assert_eq!(nearest("pol", OPTIONS), Some("pool"));
    }

    #[test]
    fn says_nothing_rather_than_guess() {
        assert_eq!(nearest("chunk_size", OPTIONS), None);
        assert_eq!(nearest("x", OPTIONS), None);
        assert_eq!(nearest("workers", &[]), None);
        assert_eq!(nearest("", OPTIONS), None);
    }

    #[test]
    fn counts_edits() {
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
