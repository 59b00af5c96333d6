use futureproof::task_pool;

#[task_pool(error_policy = "log", raise_after = 3)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    parse::submit("5");
}
