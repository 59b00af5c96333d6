use futureproof::task_pool;

type AppResult<T> = Result<T, String>;

#[task_pool]
fn load(path: String) -> AppResult<Vec<u8>> {
    Ok(path.into_bytes())
}

#[task_pool]
fn borrowed<'a>(word: &'a str) -> AppResult<&'a str> {
    Ok(word)
}

fn main() {
    load::submit(String::new());
    borrowed::submit("x");
}
