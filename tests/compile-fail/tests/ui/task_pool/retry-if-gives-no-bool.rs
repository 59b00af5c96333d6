use futureproof::task_pool;

#[task_pool(retry = 3, retry_if = |error| error.to_string())]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    parse::submit("5");
}
