use futureproof::parallel_for;

async fn fetch(n: u32) -> u32 {
    n
}

async fn all() {
    parallel_for!(
        for n in 0..10 {
            println!("{}", fetch(n).await);
        }
    );
}

fn main() {
    drop(all());
}
