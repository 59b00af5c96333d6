use std::rc::Rc;

use futureproof::parallel_for;

fn main() {
    let found = 'found: {
        parallel_for!(
            for n in 0..10 {
                break 'found Some(Rc::new(n));
            }
        );
        None
    };
    println!("{found:?}");
}
