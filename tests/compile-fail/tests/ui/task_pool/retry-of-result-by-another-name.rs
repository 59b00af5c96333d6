use futureproof::task_pool;

type Parsed = Result<u32, std::num::ParseIntError>;

#[task_pool(retry = 3)]
fn parse(text: &str) -> Parsed {
    text.parse()
}

fn main() {
    parse::submit("5");
}
