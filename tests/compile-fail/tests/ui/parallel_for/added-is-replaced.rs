use futureproof::parallel_for;

fn main() {
    let (mut last, mut list, mut found) = (None, vec![0], false);
    parallel_for!(
        reduce(last, list, found),
        for n in 0..10 {
            last = Some(n);
            list = vec![n];
            found |= n == 3;
        }
    );
    println!("{last:?} {list:?} {found}");
}
