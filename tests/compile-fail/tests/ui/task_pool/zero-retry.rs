use futureproof::task_pool;

#[task_pool(retry = 0)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    parse::submit("5");
}
