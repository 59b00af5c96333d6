use futureproof::task_pool;

#[task_pool(retry = 3, retry_if = |error: &std::io::Error| error.raw_os_error().is_some())]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    parse::submit("5");
}
