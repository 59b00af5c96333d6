//! `#[task_pool]`: every kind of signature that it takes.

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::sync::Arc;

use futureproof::task_pool;

type AnyError = Box<dyn std::error::Error>;

#[derive(Debug, Clone)]
struct Word<'a>(&'a str);

#[test]
fn patterns_and_unused_parameters() {
    #[task_pool]
    fn sum((a, b): (u32, u32), mut start: u32, _: u8, _unused: u8, [c, ..]: [u32; 3]) -> u32 {
        start += a + b;
        start + c
    }
    assert_eq!(sum::submit((1, 2), 3, 0, 0, [4, 5, 6]).join().unwrap(), 10);
}

#[test]
fn elided_lifetimes() -> Result<(), AnyError> {
    #[task_pool]
    fn length(a: &str, b: Cow<'_, str>, c: &Word<'_>, d: &[&str]) -> usize {
        a.len() + b.len() + c.0.len() + d.len()
    }
    let text = String::from("text");
    let (word, list) = (Word(&text), vec![&*text, "x"]);
    length::scope(|tasks| {
        tasks.submit(&text, Cow::Borrowed(&text), &word, &list);
        tasks.submit("a", Cow::Owned(text.clone()), &word, &list);
        let lengths: Vec<usize> = tasks.in_order().flatten().map(|done| done.result).collect();
        assert_eq!(lengths, [14, 11]);
        Ok(())
    })?;
    Ok(())
}

#[test]
fn named_lifetimes_and_borrowing_errors() {
    #[task_pool(error_policy = "ignore")]
    fn find<'a>(text: &'a str, what: &str) -> Result<&'a str, Cow<'a, str>> {
        text.split(' ')
            .find(|&word| word == what)
            .ok_or(Cow::Borrowed(text))
    }
    let text = String::from("one two");
    let found = {
        let what = String::from("two");
        find::scope(|tasks| {
            tasks.submit(&text, &what);
            tasks.submit(&text, "three");
            Ok(tasks
                .in_order()
                .map(|done| done.ok().map(|done| done.result))
                .collect::<Vec<_>>())
        })
        .unwrap()
    };
    assert_eq!(found, [Some("two"), None]);
    assert_eq!(find::submit("a b", "b").join().unwrap(), "b");
}

#[test]
fn references_to_references() {
    #[task_pool]
    fn outer<'a, 'b>(text: &'a &'b str, words: &Vec<&'b str>) -> &'a &'b str {
        let _ = words;
        text
    }
    let (text, words) = ("text", vec![]);
    let texts = outer::scope(|tasks| {
        tasks.submit(&text, &words);
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| *done.result)
            .collect::<String>())
    });
    assert_eq!(texts.unwrap(), "text");
}

#[test]
fn generic_functions() {
    #[task_pool(workers = 2)]
    fn show<T: Debug, U>(first: T, second: &U) -> (T, String)
    where
        U: Display + ?Sized + Sync,
    {
        let text = format!("{first:?} {second}");
        (first, text)
    }
    assert_eq!(show(1, "x"), (1, "1 x".into()));
    let results = show::scope(|tasks| {
        tasks.submit(1, "x");
        tasks.submit(2, "y");
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .collect::<Vec<_>>())
    });
    assert_eq!(results.unwrap(), [(1, "1 x".into()), (2, "2 y".into())]);
    assert_eq!(
        show::submit(String::from("s"), &3).join().unwrap().1,
        "\"s\" 3"
    );
}

#[test]
fn generic_functions_with_parameters_that_no_argument_tells() {
    #[task_pool]
    fn parse<T: std::str::FromStr, const N: usize>(texts: [&str; N]) -> Result<Vec<T>, T::Err> {
        texts.iter().map(|text| text.parse()).collect()
    }
    let numbers = parse::submit::<u8, 2>(["1", "2"]).join();
    assert_eq!(numbers.unwrap(), [1, 2]);
    let numbers = parse::scope::<i64, 1, _>(|tasks| {
        tasks.submit(["-1"]);
        Ok(tasks
            .in_order()
            .flatten()
            .flat_map(|done| done.result)
            .collect::<Vec<i64>>())
    });
    assert_eq!(numbers.unwrap(), [-1]);
}

#[test]
fn associated_types_of_a_parameter() {
    #[task_pool]
    fn longest<I: IntoIterator>(items: I, least: I::Item) -> Option<I::Item>
    where
        I::Item: Ord,
    {
        items.into_iter().max().max(Some(least))
    }
    assert_eq!(longest::submit(vec![1, 5], 2).join().unwrap(), Some(5));
}

#[test]
fn impl_trait_arguments() {
    #[task_pool]
    fn apply(
        text: impl AsRef<str>,
        function: impl Fn(&str) -> usize,
        shown: &impl Debug,
    ) -> String {
        format!("{} {shown:?}", function(text.as_ref()))
    }
    assert_eq!(
        apply::submit("text", |text: &str| text.len(), &1)
            .join()
            .unwrap(),
        "4 1"
    );
}

#[test]
fn functions_and_closures_as_arguments() {
    #[task_pool(keep_args = false)]
    fn run(job: Box<dyn FnOnce(&str) -> usize + Send + '_>, by: fn(&u8) -> &u8) -> usize {
        job("text") + usize::from(*by(&1))
    }
    let addend = 5;
    let sum = run::scope(|tasks| {
        tasks.submit(Box::new(|text| text.len() + addend), |number| number);
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .sum::<usize>())
    });
    assert_eq!(sum.unwrap(), 10);
}

#[test]
fn errors_of_any_type() {
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct NoError;
    struct Silent;

    #[task_pool]
    fn debug() -> Result<(), NoError> {
        Err(NoError)
    }
    #[task_pool]
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("boxed".into())
    }
    #[task_pool]
    fn silent() -> Result<(), Silent> {
        Err(Silent)
    }
    #[task_pool]
    fn generic<E: Clone>(error: E) -> Result<(), E> {
        Err(error)
    }
    assert!(
        debug::submit()
            .join()
            .unwrap_err()
            .to_string()
            .ends_with("NoError")
    );
    assert!(
        boxed::submit()
            .join()
            .unwrap_err()
            .to_string()
            .ends_with("boxed")
    );
    assert!(
        silent::submit()
            .join()
            .unwrap_err()
            .to_string()
            .ends_with("Silent")
    );
    assert!(generic::submit("own").join().is_err());
}

#[test]
fn errors_that_borrow_or_are_generic_keep_their_sources() {
    use std::error::Error;
    use std::fmt;

    #[derive(Debug, Clone)]
    struct Bad<'a>(&'a str, fmt::Error);

    impl Display for Bad<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "bad {}", self.0)
        }
    }

    impl Error for Bad<'_> {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.1)
        }
    }

    #[task_pool]
    fn borrowing(text: &str) -> Result<(), Bad<'_>> {
        Err(Bad(text, fmt::Error))
    }
    #[task_pool]
    fn generic<E: Error + Clone>(error: E) -> Result<(), E> {
        Err(error)
    }
    #[task_pool]
    fn boxed(text: &str) -> Result<(), Box<dyn Error + Send + Sync + '_>> {
        Err(text.into())
    }
    let error = borrowing::submit("text").join().unwrap_err();
    assert!(
        error.to_string().ends_with("bad text") && error.source().is_some(),
        "{error}"
    );
    let error = generic::submit(Bad("text", fmt::Error)).join().unwrap_err();
    assert!(
        error.to_string().ends_with("bad text") && error.source().is_some(),
        "{error}"
    );
    assert!(
        boxed::submit("text")
            .join()
            .unwrap_err()
            .to_string()
            .ends_with("text")
    );
}

#[test]
fn none_to_eight_parameters() {
    #[task_pool]
    fn none() -> u8 {
        0
    }
    #[task_pool]
    #[allow(clippy::too_many_arguments)]
    fn eight(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
        a + b + c + d + e + f + g + h
    }
    assert_eq!(none::map([(), ()]).count(), 2);
    assert_eq!(eight::submit(1, 2, 3, 4, 5, 6, 7, 8).join().unwrap(), 36);
    assert_eq!(
        eight::map([(1, 2, 3, 4, 5, 6, 7, 8)])
            .next()
            .unwrap()
            .unwrap()
            .result,
        36
    );
}

#[test]
fn raw_identifiers_and_names_of_the_companions_own() {
    #[task_pool]
    fn r#match(r#type: &str, body: u8, inputs: u8, __arg0: u8) -> usize {
        r#type.len() + usize::from(body + inputs + __arg0)
    }
    assert_eq!(r#match::submit("type", 1, 1, 1).join().unwrap(), 7);
    assert!(
        r#match::submit("type", 250, 250, 1)
            .join()
            .unwrap_err()
            .to_string()
            .contains(r#"match("type", 250, 250, 1)"#)
    );
}

#[test]
fn const_functions_and_functions_in_functions() {
    #[task_pool]
    const fn double(number: u8) -> u8 {
        2 * number
    }
    const FOUR: u8 = double(2);
    fn inner() -> u8 {
        #[task_pool]
        fn double(number: u8) -> u8 {
            3 * number
        }
        double::submit(1).join().unwrap()
    }
    assert_eq!(
        (FOUR, double::submit(1).join().unwrap(), inner()),
        (4, 2, 3)
    );
}

struct Client<'c, T> {
    base: &'c str,
    extra: T,
}

impl<'c, T: Sync + Clone> Client<'c, T> {
    #[task_pool(workers = 3)]
    fn get(&self, path: &str) -> Result<String, std::fmt::Error> {
        Ok(format!("{}{path}", self.base))
    }

    #[task_pool]
    fn shared(self: Arc<Self>, path: &str) -> usize {
        self.base.len() + path.len()
    }

    #[task_pool]
    fn base(&self, _path: &str) -> &str {
        self.base
    }

    #[task_pool(keep_args = false)]
    fn with(&mut self, extra: T) -> T {
        std::mem::replace(&mut self.extra, extra)
    }

    #[task_pool]
    fn new(base: &'c str, extra: T) -> Self {
        Self { base, extra }
    }

    #[task_pool(associated)]
    fn double(number: u8) -> u8 {
        number * 2
    }
}

impl<T: Clone> Clone for Client<'_, T> {
    fn clone(&self) -> Self {
        Self {
            base: self.base,
            extra: self.extra.clone(),
        }
    }
}

#[test]
fn methods_have_sibling_functions() -> Result<(), AnyError> {
    let base = String::from("http://");
    let client = Client {
        base: &base,
        extra: 1_u8,
    };
    let urls = Client::get_scope(|tasks| {
        tasks.map(["a", "b"].map(|path| (&client, path)));
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .collect::<Vec<_>>())
    })?;
    assert_eq!(urls, ["http://a", "http://b"]);
    assert_eq!(Client::<u8>::get_pool().workers(), 3);

    let bases = Client::base_scope(|tasks| {
        tasks.submit(&client, "a");
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .collect::<Vec<&str>>())
    })?;
    assert_eq!(bases, ["http://"]);
    Ok(())
}

#[test]
fn methods_that_own_or_change_self() -> Result<(), AnyError> {
    let client = Arc::new(Client {
        base: "ab",
        extra: 1_u8,
    });
    assert_eq!(Client::shared_submit(client, "c").join()?, 3);

    let mut client = Client {
        base: "ab",
        extra: 1_u8,
    };
    Client::with_scope(|tasks| {
        tasks.submit(&mut client, 2);
    })?;
    assert_eq!(client.extra, 2);
    Ok(())
}

#[test]
fn associated_functions_have_sibling_functions() -> Result<(), AnyError> {
    assert_eq!(Client::new_submit("ab", 5).join()?.extra, 5);
    let doubles: Vec<u8> = Client::<u8>::double_map([1, 2])
        .flatten()
        .map(|done| done.result)
        .collect();
    assert_eq!(doubles, [2, 4]);
    Ok(())
}

trait Measured: Sync {
    fn size(&self) -> usize;

    #[task_pool]
    fn size_and(&self, more: usize) -> usize {
        self.size() + more
    }
}

impl Measured for str {
    fn size(&self) -> usize {
        self.len()
    }
}

#[test]
fn methods_that_a_trait_provides() -> Result<(), AnyError> {
    let sizes = str::size_and_scope(|tasks| {
        tasks.submit("text", 1);
        Ok(tasks
            .in_order()
            .flatten()
            .map(|done| done.result)
            .sum::<usize>())
    })?;
    assert_eq!(sizes, 5);
    Ok(())
}

type Fallible<T> = Result<T, String>;
type Plain<T> = Vec<T>;

trait Shape {
    type Area: Send + 'static;
    const AREA: fn() -> Self::Area;
}

struct Square;

impl Shape for Square {
    type Area = u32;
    const AREA: fn() -> u32 = || 4;
}

struct Holder<T>(T);

impl<T: Clone + Send + Sync + Debug + 'static> Holder<T> {
    #[task_pool(keep_args = false)]
    fn held(&'static self) -> T {
        self.0.clone()
    }
}

#[test]
fn results_by_any_name() {
    #[task_pool]
    fn plain(n: u8) -> Plain<u8> {
        vec![n]
    }
    #[task_pool]
    fn named<'a>(text: &'a str, _: &str) -> Plain<&'a str> {
        vec![text]
    }
    #[task_pool]
    fn elided(text: &str) -> Word<'_> {
        Word(text)
    }
    #[task_pool]
    fn any<T: Clone + Send>(value: T) -> T {
        value
    }
    #[task_pool]
    fn area<S: Shape>() -> S::Area {
        S::AREA()
    }
    #[task_pool]
    fn listed<T: Clone + Send, const N: usize>(values: [T; N]) -> Plain<T> {
        values.to_vec()
    }
    #[task_pool(fallible = true)]
    fn failing(n: u8) -> Fallible<u8> {
        Err(n.to_string())
    }
    #[task_pool(fallible = false)]
    fn kept(n: u8) -> Fallible<u8> {
        Err(n.to_string())
    }
    assert_eq!(plain::submit(3).join().unwrap(), [3]);
    assert_eq!(named::submit("a", "b").join().unwrap(), ["a"]);
    assert_eq!(elided::submit("a").join().unwrap().0, "a");
    assert_eq!(any::submit(3).join().unwrap(), 3);
    assert_eq!(any::submit(Ok::<u8, u8>(3)).join().unwrap(), Ok(3));
    assert_eq!(area::submit::<Square>().join().unwrap(), 4);
    assert_eq!(listed::submit([1, 2]).join().unwrap(), [1, 2]);
    assert!(failing::submit(3).join().is_err());
    assert_eq!(kept::submit(3).join().unwrap(), Err("3".to_owned()));
    static HOLDER: Holder<u8> = Holder(3);
    assert_eq!(Holder::held_submit(&HOLDER).join().unwrap(), 3);
}
