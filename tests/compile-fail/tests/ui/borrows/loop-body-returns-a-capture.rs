use futureproof::parallel_for;

fn first(name: String) -> String {
    parallel_for!(
        for n in 0..10 {
            if n == 3 {
                return name;
            }
        }
    );
    String::new()
}

fn main() {
    first(String::new());
}
