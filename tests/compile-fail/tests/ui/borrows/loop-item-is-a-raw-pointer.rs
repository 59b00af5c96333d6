use futureproof::parallel_for;

fn main() {
    let numbers = [1, 2, 3];
    let pointers: Vec<*const i32> = numbers.iter().map(|number| &raw const *number).collect();
    parallel_for!(
        for pointer in pointers {
            println!("{pointer:?}");
        }
    );
}
