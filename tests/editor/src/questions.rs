//! What is asked, and what the answer has to have in it.

use std::process::ExitCode;

use crate::editor::Editor;

pub const LOOPS: &str = "src/loops.rs";
pub const TASKS: &str = "src/tasks.rs";

/// The answers, as they come.
pub struct Sheet {
    filter: String,
    chapter: &'static str,
    right: usize,
    wrong: usize,
}

impl Sheet {
    /// Only answers to questions with `filter` in them are printed in full.
    pub fn new(filter: String) -> Self {
        Self {
            filter,
            chapter: "",
            right: 0,
            wrong: 0,
        }
    }

    pub fn begin(&mut self, chapter: &'static str) {
        self.chapter = chapter;
    }

    /// All of `wanted` are in the answer.
    pub fn has(&mut self, question: &str, answer: &str, wanted: &[&str]) {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|part| !answer.contains(**part))
            .collect();
        let complaint = (!missing.is_empty()).then(|| format!("lacks {missing:?}"));
        self.note(question, answer, complaint);
    }

    /// Each of `wanted` begins one of the answers.
    pub fn offers(&mut self, question: &str, answers: &[String], wanted: &[&str]) {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|part| !answers.iter().any(|answer| answer.starts_with(**part)))
            .collect();
        let complaint = (!missing.is_empty()).then(|| format!("lacks {missing:?}"));
        self.note(question, &answers.join("\n"), complaint);
    }

    /// The answers are these.
    pub fn equal(&mut self, question: &str, answers: &[String], wanted: &[&str]) {
        let complaint = (answers != wanted).then(|| format!("is not {wanted:#?}"));
        self.note(question, &answers.join("\n"), complaint);
    }

    fn note(&mut self, question: &str, answer: &str, complaint: Option<String>) {
        let question = match self.chapter {
            "" => question.to_owned(),
            chapter => format!("{chapter}: {question}"),
        };
        if !self.filter.is_empty() && question.contains(&self.filter) {
            println!("{question}\n{answer}\n");
        }
        match complaint {
            None => self.right += 1,
            Some(complaint) => {
                self.wrong += 1;
                println!("WRONG {question}: the answer\n{answer}\n{complaint}\n");
            }
        }
    }

    pub fn end(self) -> ExitCode {
        println!(
            "seen: editor: {} of {} answers of rust-analyzer are as they should be",
            self.right,
            self.right + self.wrong
        );
        if self.wrong == 0 && self.right > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Loops that are complete.
pub fn loops(editor: &mut Editor, sheet: &mut Sheet) {
    let mut hover = |question: &str, at: &str, wanted: &[&str]| {
        let answer = editor.hover(LOOPS, at);
        sheet.has(&format!("hover, {question}"), &answer, wanted);
    };
    hover(
        "the macro's name",
        "parallel_$0for!(for page in pages",
        &[
            "Runs a `for` loop on several workers",
            "reduce(bytes)",
            "More",
        ],
    );
    hover(
        "the loop's variable",
        "for pa$0ge in pages {\n        let",
        &["let page: &Page"],
    );
    hover("its use", "pa$0ge.text", &["let page: &Page"]);
    hover(
        "a captured variable",
        "format!(\"{pre$0fix}",
        &["prefix: &str"],
    );
    hover(
        "a variable of the body",
        "{li$0ne} {length}",
        &["let line: String"],
    );
    hover(
        "a function",
        "let page = read_$0page(name)?",
        &["pub fn read_page(name: &str)", "Reads a page."],
    );
    hover("what `?` leaves", "pages.push(pa$0ge)", &["let page: Page"]);
    hover(
        "a reduced variable",
        "byt$0es += page",
        &["let mut bytes: usize"],
    );
    hover(
        "a reduced variable, in `reduce`",
        "reduce(byt$0es,",
        &["let mut bytes: usize"],
    );
    hover(
        "a variable in `max`",
        "max(long$0est)",
        &["let mut longest: usize"],
    );
    hover(
        "a worker's variable",
        "buf$0fer.clear()",
        &["let mut buffer: String"],
    );
    hover(
        "an item of an iterator",
        "for let$0ter in word.chars()",
        &["let letter: char"],
    );
    hover(
        "the report",
        "rep$0ort.completed()",
        &["let report: Report"],
    );
    hover(
        "an option",
        "work$0ers = depth",
        &["How many threads work on the loop at most"],
    );
    hover(
        "an option with names",
        "red$0uce(bytes",
        &["merged in input order"],
    );
    hover(
        "an option's value",
        "workers = dep$0th",
        &["let depth: usize"],
    );
    hover(
        "a method in an option's value",
        "Duration::from_$0secs(1)",
        &["fn from_secs("],
    );

    let mut leads = |question: &str, at: &str, wanted: &[&str]| {
        let answers = editor.definitions(LOOPS, at);
        sheet.equal(&format!("definition, {question}"), &answers, wanted);
    };
    leads(
        "a function",
        "let page = read_$0page(name)?",
        &["loops.rs: pub fn «read_page»(name: &str) -> std::io::Result<Page> {"],
    );
    leads(
        "a method",
        "page.len$0gth();\n        println",
        &["loops.rs: pub fn «length»(&self) -> usize {"],
    );
    leads(
        "the loop's variable",
        "pa$0ge.text",
        &["loops.rs: parallel_for!(for «page» in pages {"],
    );
    leads(
        "a reduced variable, in `reduce`",
        "reduce(byt$0es,",
        &["loops.rs: let (mut «bytes», mut longest) = (0, 0);"],
    );
    leads(
        "a worker's variable",
        "buf$0fer.clear()",
        &["loops.rs: local(«buffer» = String::new(), count = 0_u64),"],
    );
    leads(
        "the loop's label",
        "continue 'ce$0lls",
        &["loops.rs: parallel_for!(«'cells»: for &cell in row {"],
    );
    leads(
        "a label around the loop",
        "break 'ro$0ws",
        &["loops.rs: «'rows»: for row in rows {"],
    );

    let answers = editor.references(LOOPS, "pub fn read_pa$0ge(");
    let wanted = [
        "loops.rs: pub fn «read_page»(name: &str) -> std::io::Result<Page> {",
        "loops.rs: let page = «read_page»(name)?;",
    ];
    sheet.equal(
        "references, a function that a body calls",
        &answers,
        &wanted,
    );
    let answers = editor.references(LOOPS, "let mut pag$0es = Vec");
    let wanted = [
        "loops.rs: let mut «pages» = Vec::new();",
        "loops.rs: reduce(bytes, max(longest), «pages»),",
        "loops.rs: «pages».push(page);",
        "loops.rs: println!(\"{longest} {}\", «pages».len());",
    ];
    sheet.equal("references, a reduced variable", &answers, &wanted);

    let answers = editor.rename(LOOPS, "let (mut bytes, mut long$0est", "most");
    let wanted = [
        "let (mut bytes, mut most) = (0, 0);",
        "reduce(bytes, max(most), pages),",
        "most = most.max(page.length());",
        "println!(\"{most} {}\", pages.len());",
    ];
    sheet.equal("rename, a reduced variable", &answers, &wanted);
    let answers = editor.rename(LOOPS, "for &na$0me in names", "path");
    let wanted = ["for &path in names {", "let page = read_page(path)?;"];
    sheet.equal("rename, the loop's variable", &answers, &wanted);
    let answers = editor.rename(LOOPS, "{pre$0fix}{}", "lead");
    let wanted = [
        "pub fn plain(pages: &[Page], lead: &str) {",
        "let line = format!(\"{lead}{}\", page.text);",
    ];
    sheet.equal("rename, a captured variable", &answers, &wanted);

    let answers = editor.hints(LOOPS);
    let wanted = [
        "let report: Report",
        "let mut letters: HashMap<char, usize>",
        "let depth: usize",
    ];
    sheet.offers("types shown, around loops", &answers, &wanted);

    let answers = editor.mistakes(LOOPS);
    sheet.equal("mistakes in loops that have none", &answers, &[]);
}

/// Loops that somebody is at.
pub fn half_typed(editor: &mut Editor, sheet: &mut Sheet) {
    let mut typing = |question: &str, old: &str, new: &str, wanted: &[&str]| {
        let ask = |editor: &mut Editor, at: &str| editor.completions(LOOPS, at);
        let answers = editor.typing(LOOPS, old, new, ask);
        sheet.offers(&format!("completion, {question}"), &answers, wanted);
    };
    let page = ["text: String", "number: usize", "length()"];
    let line = "let length = page.length();";
    typing(
        "a method, the body is complete",
        line,
        "let length = page.$0;",
        &page,
    );
    typing(
        "a method, nothing behind",
        line,
        "let length = page.$0",
        &page,
    );
    typing(
        "a method, part of its name",
        line,
        "let length = page.le$0",
        &["length()"],
    );
    typing(
        "a method, a bracket is open",
        line,
        "let length = (page.$0;",
        &page,
    );
    typing("a method, in a condition", line, "if page.$0", &page);
    typing(
        "a method, in a macro",
        line,
        "println!(\"{}\", page.$0);",
        &page,
    );
    typing(
        "a method, of a worker's variable",
        "count += 1;",
        "buffer.pu$0",
        &["push(…)", "push_str(…)"],
    );
    typing(
        "a method, in a loop in a loop",
        "*inside.entry(letter).or_insert(0_usize) += 1;",
        "letter.is_al$0",
        &["is_alphabetic()"],
    );
    typing(
        "a name",
        line,
        "let length = pre$0",
        &[
            "prefix: &str",
            "page: &Page",
            "pages: &[Page]",
            "line: String",
            "read_page(…)",
        ],
    );
    typing(
        "a name, in `reduce`",
        "reduce(bytes, max(longest), pages),",
        "reduce(by$0),",
        &["bytes: usize"],
    );
    typing(
        "a name, an option's value",
        "workers = depth,",
        "workers = na$0,",
        &["names: Vec<String"],
    );
    let options = [
        "workers: ",
        "error_policy: ",
        "reduce: ",
        "local: ",
        "deadline: ",
    ];
    typing("an option", "workers = depth,", "wor$0,", &options);
    typing(
        "an option's value, nothing typed",
        "error_policy = policy,",
        "error_policy = $0,",
        &["policy: ErrorPolicy"],
    );
    typing(
        "an option's value, nothing typed, no comma, the loop behind",
        "monitor = Duration::from_secs(1),",
        "workers = $0",
        &["policy: ErrorPolicy"],
    );
    typing(
        "an option's value, no comma",
        "        workers = 4,",
        "        workers = na$0",
        &["names: "],
    );
    typing(
        "an option's value, nothing typed, no comma",
        "        workers = 4,",
        "        workers = $0",
        &["names: "],
    );
    typing(
        "a method in an option's value, no comma",
        "monitor = Duration::from_secs(1),",
        "monitor = Duration::from_$0",
        &["from_secs("],
    );
    typing("an option, no comma", "workers = depth,", "wor$0", &options);
    typing(
        "an option, behind another",
        "live = &live,",
        "live = &live,\n        re$0,",
        &options,
    );
    typing(
        "an option's value",
        "monitor = Duration::from_secs(1),",
        "monitor = Duration::from_$0,",
        &["from_secs(…)", "from_millis(…)"],
    );
}

/// Mistakes that somebody makes in a body.
pub fn mistakes(editor: &mut Editor, sheet: &mut Sheet) {
    let mut typing = |question: &str, old: &str, new: &str, wanted: &[&str]| {
        let ask = |editor: &mut Editor, _: &str| editor.mistakes(LOOPS);
        let answers = editor.typing(LOOPS, old, new, ask);
        sheet.equal(&format!("mistake, {question}"), &answers, wanted);
    };
    typing(
        "a type in a body",
        "let length = page.length();",
        "let length: bool = 5_u8;",
        &["«5_u8» expected bool, found u8"],
    );
    typing(
        "arguments in a body",
        "let page = read_page(name)?;",
        "let page = read_page(name, 1)?;",
        &["«1)» expected 1 argument, found 2"],
    );
    typing(
        "a type in an option",
        "workers = depth,",
        "workers = \"4\",",
        &["«\"4\"» expected usize, found &'static str"],
    );
}

/// Functions with a pool.
pub fn tasks(editor: &mut Editor, sheet: &mut Sheet) {
    let mut hover = |question: &str, at: &str, wanted: &[&str]| {
        let answer = editor.hover(TASKS, at);
        sheet.has(&format!("hover, {question}"), &answer, wanted);
    };
    hover(
        "the attribute's name",
        "#[task_$0pool(workers = 5",
        &["Gives a function a pool", "More"],
    );
    hover(
        "an option of it",
        "#[task_pool(work$0ers = 5",
        &["Sets how many tasks run at once"],
    );
    hover(
        "the function",
        "pub fn load_u$0rl(",
        &[
            "pub fn load_url(url: &str",
            "Loads what an address names.",
            "pub enum load_url {}",
        ],
    );
    hover(
        "the companion",
        "load_u$0rl::scope(",
        &["The task pool of [`load_url()`]"],
    );
    hover(
        "scope",
        "load_url::sc$0ope(",
        &[
            "pub fn scope<'env, O>(",
            "TaskManager<'env, (&'env str, Duration), (&'env str, Duration), Vec<u8>, std::io::Error>",
            "ScopeError<std::io::Error>",
            "Runs many calls of [`load_url()`]",
        ],
    );
    hover(
        "submit",
        "load_url::sub$0mit(\"c\"",
        &[
            "pub fn submit(url: &'static str, timeout: Duration)",
            "TaskHandle<Vec<u8>, std::io::Error, (&'static str, Duration)>",
            "Queues one call of [`load_url()`]",
        ],
    );
    hover(
        "a scope's tasks",
        "|tas$0ks| {\n        for url",
        &["tasks: &TaskManager<"],
    );
    hover(
        "submit of a scope",
        "tasks.sub$0mit(url",
        &["Accepts a task and returns its index"],
    );
    hover(
        "a result",
        "load$0ed.result.len();",
        &["let loaded: Task<(&str, Duration), Vec<u8>>"],
    );
    hover(
        "a variable of the function",
        "for num$0ber in &numbers",
        &["let number: &String"],
    );
    hover("a method", "pub fn pr$0ice(", &["What a thing costs here."]);
    hover(
        "a method's scope",
        "price_sc$0ope(",
        &["Runs many calls of `price()` at once"],
    );

    let mut leads = |question: &str, at: &str, wanted: &[&str]| {
        let answers = editor.definitions(TASKS, at);
        sheet.equal(&format!("definition, {question}"), &answers, wanted);
    };
    let name = "tasks.rs: pub fn «load_url»(url: &str, timeout: Duration) -> Result<Vec<u8>, std::io::Error> {";
    let function = "tasks.rs: pub «fn» load_url(url: &str, timeout: Duration) -> Result<Vec<u8>, std::io::Error> {";
    leads("the companion", "load_u$0rl::scope(", &[name]);
    leads("scope", "load_url::sc$0ope(", &[function]);
    leads("submit", "load_url::sub$0mit(\"c\"", &[function]);
    leads(
        "a method's scope",
        "price_sc$0ope(",
        &["tasks.rs: pub «fn» price(&self, thing: &str) -> Result<u32, String> {"],
    );
    let answers = editor.definitions(TASKS, "tasks.sub$0mit(url");
    sheet.offers(
        "definition, submit of a scope",
        &answers,
        &["args.rs: pub fn «submit»("],
    );
    let answers = editor.definitions(TASKS, "tasks.as_$0completed()");
    sheet.offers(
        "definition, as_completed of a scope",
        &answers,
        &["manager.rs: pub fn «as_completed»("],
    );

    let mut typing = |question: &str, old: &str, new: &str, wanted: &[&str]| {
        let ask = |editor: &mut Editor, at: &str| editor.completions(TASKS, at);
        let answers = editor.typing(TASKS, old, new, ask);
        sheet.offers(&format!("completion, {question}"), &answers, wanted);
    };
    let functions = [
        "scope(…)",
        "map(…)",
        "as_completed(…)",
        "submit(…)",
        "try_submit(…)",
        "configure()",
        "pool()",
    ];
    let submit = "load_url::submit(\"c\", timeout)";
    typing(
        "the companion's functions",
        submit,
        "load_url::$0",
        &functions,
    );
    typing(
        "the function and its companion",
        submit,
        "load_u$0",
        &["load_url: ", "load_url(…)"],
    );
    let methods = [
        "submit(…)",
        "try_submit(…)",
        "map(…)",
        "as_completed()",
        "in_order()",
        "stop()",
    ];
    typing(
        "a scope's tasks",
        "tasks.submit(url, timeout);",
        "tasks.$0",
        &methods,
    );
    typing(
        "a method's companion",
        "Self::price_scope(",
        "Self::$0(",
        &["price_scope", "price_submit"],
    );
    let body = "let body = format!(\"{url} {timeout:?}\");";
    typing("in the function", body, "timeout.as_$0", &["as_secs()"]);
    typing(
        "in a loop in the function",
        "sum += number.parse::<u32>()?;",
        "number.tr$0",
        &["trim()"],
    );

    let mut signature = |question: &str, old: &str, new: &str, wanted: &[&str]| {
        let ask = |editor: &mut Editor, at: &str| editor.signature(TASKS, at);
        let answer = editor.typing(TASKS, old, new, ask);
        sheet.has(&format!("parameters, {question}"), &answer, wanted);
    };
    signature(
        "submit",
        submit,
        "load_url::submit($0)",
        &[
            "fn submit(url: &'static str, timeout: Duration)",
            "Queues one call",
        ],
    );
    signature(
        "submit of a scope",
        "tasks.submit(url, timeout);",
        "tasks.submit($0);",
        &["a: &str, b: Duration"],
    );

    for (question, at) in [
        ("the function", "pub fn load_u$0rl("),
        ("its companion", "load_u$0rl::scope("),
    ] {
        let answers = editor.rename(TASKS, at, "fetch");
        let wanted = [
            "pub fn fetch(url: &str, timeout: Duration) -> Result<Vec<u8>, std::io::Error> {",
            "fetch::scope(|tasks| {",
            "for done in fetch::map([(\"a\", timeout), (\"b\", timeout)]) {",
            "let handle = fetch::submit(\"c\", timeout);",
            "let retried = fetch::configure().retry(3).submit(\"d\", timeout);",
            "println!(\"{:?} {:?}\", retried.join(), fetch::pool().stats());",
        ];
        sheet.equal(&format!("rename, {question}"), &answers, &wanted);
    }
    let answers = editor.rename(TASKS, "mut s$0um = 0;\n    parallel_for", "all");
    let wanted = [
        "let mut all = 0;",
        "reduce(all),",
        "all += number.parse::<u32>()?;",
        "Ok(all)",
    ];
    sheet.equal(
        "rename, a variable of a loop in the function",
        &answers,
        &wanted,
    );

    let answers = editor.hints(TASKS);
    let wanted = [
        "let body: String",
        "load_url::scope(|tasks: &TaskManager<",
        "let loaded: Task<(&str, Duration), Vec<",
        "let page: Vec<u8>",
    ];
    sheet.offers("types shown", &answers, &wanted);

    let answers = editor.mistakes(TASKS);
    sheet.equal("mistakes in functions that have none", &answers, &[]);
    let ask = |editor: &mut Editor, _: &str| editor.mistakes(TASKS);
    let answers = editor.typing(TASKS, "Ok(body.into_bytes())", "Ok(5_u8)", ask);
    sheet.offers(
        "mistake, a type in the function",
        &answers,
        &["«5_u8» expected Vec<u8"],
    );
}
