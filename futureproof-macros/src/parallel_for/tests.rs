use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

fn expand(loop_: &str) -> TokenStream {
    super::expand(TokenStream::from_str(&format!("krate, {loop_}")).unwrap())
}

/// The expansion as a person would write it.
fn pretty(loop_: &str) -> String {
    let expanded = expand(loop_);
    let file = syn::parse2(quote::quote!(fn expanded() { #expanded }))
        .unwrap_or_else(|error| panic!("{error}: {expanded}"));
    prettyplease::unparse(&file)
}

/// Is `part` in `text`, whatever the line breaks?
fn has(text: &str, part: &str) -> bool {
    let flat = |text: &str| {
        text.replace(char::is_whitespace, "")
            .replace(",>", ">")
            .replace(",)", ")")
    };
    flat(text).contains(&flat(part))
}

/// The texts of the errors.
fn errors(loop_: &str) -> Vec<String> {
    fn collect(tokens: TokenStream, found: &mut Vec<String>) {
        let mut named = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => named = ident == "compile_error",
                TokenTree::Group(group) if named => {
                    let text: syn::LitStr = syn::parse2(group.stream()).unwrap();
                    found.push(text.value());
                    named = false;
                }
                TokenTree::Group(group) => collect(group.stream(), found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    collect(expand(loop_), &mut found);
    found
}

fn error(loop_: &str) -> String {
    match errors(loop_).as_slice() {
        [one] => one.clone(),
        other => panic!("one error expected: {other:#?}"),
    }
}

#[test]
fn a_loop_is_calls_and_data() {
    let expected = r#"fn expanded() {
    {
        #[allow(unused_imports)]
        use krate::__private::{ViaIndexed as _, SendElsePullHere as _, ViaCaller as _};
        enum __Exit0<T0> {
            V0(T0),
        }
        let __report = match (krate::__private::Loop::new().workers(4), urls) {
            (__looping, __input) => {
                match krate::__private::each(
                    __looping,
                    (&&&krate::__private::Tag::of(&__input)).__kind().source(__input),
                    |url| -> krate::__private::Flow<__Exit0<_>> {
                        {
                            (match fetch(url) {
                                __tried => {
                                    match krate::__private::Try::branch(__tried) {
                                        ::core::ops::ControlFlow::Continue(__value) => __value,
                                        ::core::ops::ControlFlow::Break(__residual) => {
                                            return krate::__private::Flow::Exit(
                                                __Exit0::V0(krate::__private::send(__residual)),
                                            );
                                        }
                                    }
                                }
                            });
                        }
                        #[allow(unreachable_code)] return krate::__private::Flow::Next;
                    },
                ) {
                    krate::__private::Outcome::Ended(__report) => __report,
                    krate::__private::Outcome::Exited(
                        __Exit0::V0(futureproof_exit_value),
                    ) => match futureproof_exit_value? {}
                }
            }
        };
        __report
    }
}
"#;
    assert_eq!(
        pretty("workers = 4, for url in urls { fetch(url)?; }"),
        expected
    );
}

#[test]
fn a_body_without_exits_is_the_only_closure() {
    let text = pretty("for n in 0..10 { if n == 3 { continue; } work(n); }");
    assert!(
        text.contains("each_plain(") && text.contains("return krate::__private::Flow::Next;"),
        "{text}"
    );
    assert!(
        !text.contains("enum") && !text.contains("Outcome"),
        "{text}"
    );
    let text = pretty("for n in 0..10 { if n == 3 { break; } }");
    assert!(
        text.contains("Flow::Break") && text.contains("match __never {}"),
        "{text}"
    );
}

#[test]
fn reduce_and_local_make_a_work_closure() {
    let text = pretty(
        "reduce(a, max(b)), local(c = open()?), for n in 0..10 { a += n; b = b.max(n); c.push(n); }",
    );
    for part in [
        "(krate::__private::Added(&mut a), krate::__private::Largest(&mut b))",
        "let mut c = (match open() { __tried =>",
        "return __worker0.failed(",
        "let (mut a, mut b) = krate::__private::Worker::parts(__worker0);",
        "krate::__private::Worker::settle(__worker0, (&mut a, &mut b));",
    ] {
        assert!(has(&text, part), "{part} is missing in {text}");
    }
    let text = pretty("local(c = open()), for n in 0..10 { c.push(n); }");
    assert!(
        has(&text, "while __worker0.batch(") && !text.contains("parts"),
        "{text}"
    );
}

#[test]
fn the_policy_decides_what_a_failure_is() {
    assert!(
        pretty("error_policy = \"log\", for n in 0..10 { f(n)?; }")
            .contains("Describe(&__residual)")
    );
    assert!(
        pretty("error_policy = \"ignore\", for n in 0..10 { f(n)?; }")
            .contains("Failure::ignored()")
    );
    let text = pretty("error_policy = policy, for n in 0..10 { f(n)?; }");
    assert!(
        text.contains("let __policy0: krate::__private::ErrorPolicy = policy;"),
        "{text}"
    );
    assert!(text.contains("match __policy0"), "{text}");
    // Errors under a literal log or ignore stay inside, so nothing leaves.
    assert!(pretty("error_policy = \"ignore\", for n in 0..10 { f(n)?; }").contains("each_plain("));
}

#[test]
fn options_are_evaluated_in_the_order_of_the_text() {
    let text = pretty(
        "name = one(), workers = two(), error_policy = three(), batch = four(), monitor = \"500ms\", for n in six() {}",
    );
    let place = |part: &str| {
        text.find(part)
            .unwrap_or_else(|| panic!("{part} is missing in {text}"))
    };
    let order = [
        "one()",
        "two()",
        "three()",
        "four()",
        "Duration::new(0u64, 500000000u32)",
        "six()",
    ]
    .map(place);
    assert!(order.is_sorted(), "{text}");
}

#[test]
fn nested_loops_leave_through_the_outer_one() {
    let text = pretty(
        "'a: for x in xs { parallel_for!(for y in x { if y { continue 'a; } f(y)?; return 5; }); }",
    );
    assert_eq!(text.matches("enum __Exit0").count(), 1, "{text}");
    assert_eq!(text.matches("enum __Exit1").count(), 1, "{text}");
    assert_eq!(
        text.matches("match futureproof_exit_value? {}").count(),
        1,
        "{text}"
    );
    assert_eq!(
        text.matches("return 5").count(),
        1,
        "the constant is written down outside: {text}"
    );
    assert!(!text.contains("continue"), "{text}");
}

#[test]
fn macros_are_rewritten_only_where_they_hold_an_exit() {
    let text = pretty(
        "for n in 0..10 { println!(\"{} {}\", f(n)?, a   +  b); tokens!(x => y ?z); assert!(g(n)); }",
    );
    assert!(text.contains("tokens!(x => y ? z)"), "{text}");
    assert_eq!(text.matches("Try::branch").count(), 1, "{text}");
    let text = pretty(
        "for n in 0..10 { quote!(return #n;); map!(|a, b| return a); info!(?n, field = ?n); }",
    );
    assert_eq!(
        text.matches("Try::branch").count() + text.matches("Exited").count(),
        0,
        "{text}"
    );
    let text = pretty("for n in 0..10 { on!(a, if n == 1 { break } else { n }; n => return) }");
    assert!(
        text.contains("Flow::Break") && text.contains("__Exit0::V0"),
        "{text}"
    );
}

#[test]
fn hidden_returns_of_bail_and_ensure_are_seen() {
    let text = pretty(
        "for n in 0..10 { ensure!(n > 3, \"small\"); if n == 5 { anyhow::bail!(\"five\"); } }",
    );
    assert_eq!(
        text.matches("krate::__private::broke(").count(),
        2,
        "{text}"
    );
    assert!(
        text.contains("let __error_returned = krate::__private::Hole::new();"),
        "{text}"
    );
    assert!(
        error("for n in 0..10 { ensure!(if n { return } else { true }); }").contains("move it out")
    );
}

#[test]
fn mistakes_have_their_message() {
    for (wrong, message) in [
        ("", "the loop is missing"),
        ("workers = 3", "the loop is missing"),
        ("wrokers = 3, for n in x {}", "did you mean `workers`"),
        ("workers = 1, workers = 2, for n in x {}", "given twice"),
        ("workers = 0, for n in x {}", "at least one worker"),
        ("workers = 0x0_usize, for n in x {}", "at least one worker"),
        ("batch = 0, for n in x {}", "at least one item"),
        ("workers, for n in x {}", "expected `workers = …`"),
        ("workers = , for n in x {}", "lacks its value"),
        ("workers(3), for n in x {}", "written `workers = …`"),
        ("workers = 3 for n in x {}", "expected `,`"),
        ("3, for n in x {}", "expected an option"),
        (
            "error_policy = \"lgo\", for n in x {}",
            "did you mean \"log\"",
        ),
        (
            "error_policy = \"quiet\", for n in x {}",
            "unknown error policy \"quiet\"; the policies are",
        ),
        (
            "error_policy = log, for n in x {}",
            "write `error_policy = \"log\"`",
        ),
        ("error_policy = 3, for n in x {}", "a policy is"),
        ("monitor = \"3\", for n in x {}", "no unit"),
        ("monitor = \"0s\", for n in x {}", "longer than zero"),
        ("deadline = \"soon\", for n in x {}", "not a duration"),
        ("progress = 5, for n in x {}", "write `progress = true`"),
        ("progress, for n in x {}", "expected `progress = …`"),
        ("progress(true), for n in x {}", "written `progress = …`"),
        (
            "progress = true, progress = \"x\", for n in x {}",
            "given twice",
        ),
        ("progres = true, for n in x {}", "did you mean `progress`"),
        ("live = true, for n in x {}", "write `live = &report`"),
        ("live = &a, live = &b, for n in x {}", "given twice"),
        ("lives = &a, for n in x {}", "did you mean `live`"),
        (
            "retry = 3, for n in x {}",
            "`retry`; it belongs to `#[task_pool]`; the options are `workers`,",
        ),
        ("chunk_size = 3, for n in x {}", "did you mean `batch`"),
        (
            "progress_bar = true, for n in x {}",
            "did you mean `progress`",
        ),
        ("reduce = a, for n in x { a += n }", "reduce(a, b, …)"),
        ("reduce(), for n in x {}", "no names here"),
        ("reduce(a), for n in x {}", "never uses `a`"),
        ("reduce(a.b), for n in x { a.b += n }", "names of variables"),
        ("reduce(sum(a)), for n in x { a += n }", "no way to reduce"),
        ("reduce(max(a, b)), for n in x { a += n }", "takes one name"),
        ("reduce(a, a), for n in x { a += n }", "named twice"),
        (
            "local(a = 1), reduce(a), for n in x { a += n }",
            "named twice",
        ),
        ("local(a), for n in x { a += n }", "lacks its value"),
        ("local(mut a = 1), for n in x { a += n }", "without `mut`"),
        ("local(a = break), for n in x { a += n }", "before the body"),
        ("for n in x", "no body"),
        ("for n x {}", "expected `in`"),
        ("for n in {}", "what to loop over"),
        ("for", "the loop ends here"),
        ("for n in x {} workers = 3", "options come before"),
        ("for n in x {}, workers = 3", "options come before"),
        ("for n in x {} {}", "nothing may follow"),
        ("while n {}", "runs a `for` loop"),
        ("'a: loop {}", "runs a `for` loop"),
        ("#[allow(unused)] for n in x {}", "an attribute"),
        ("for n in x { f(n).await }", "`.await`"),
        ("for n in x { println!(\"{}\", f(n).await) }", "`.await`"),
        (
            "for n in x { strange!(n ~ return) }",
            "among the arguments of `strange!`",
        ),
        ("for n in x { let 5; fn }", "cannot read this body"),
        ("for n in x { total += n }", "reduce(total)"),
        ("for n in x { last = n }", "reduce(max(last))"),
        ("for n in x { found |= n }", "found = found.max(…)"),
        ("for n in x { (a.b[3], _) = n }", "`a` belongs to"),
        ("for n in x { a[n] = n }", "a.iter_mut().enumerate()"),
        ("for n in x { a[n].b = n }", "a.iter_mut().enumerate()"),
        ("for n in x { a[n] += n }", "`reduce(a)`"),
        (
            "reduce(a), for n in x { a[n] = n }",
            "a.iter_mut().enumerate()",
        ),
        (
            "reduce(a), for n in x { a |= n }",
            "reduce(max(a))` and `a = a.max(…)",
        ),
        (
            "reduce(a), for n in x { a &= n }",
            "reduce(min(a))` and `a = a.min(…)",
        ),
        (
            "reduce(a), for n in x { a = Some(n) }",
            "take it after the loop",
        ),
        (
            "reduce(a), for n in x { a = None }",
            "take it after the loop",
        ),
        ("reduce(a), for n in x { a = vec![] }", "only add to it"),
        ("reduce(a), for n in x { a = Vec::new() }", "only add to it"),
        ("reduce(a), for n in x { a = n }", "would lose"),
        (
            "reduce(a), for n in x { a += n; return Some(a + 1) }",
            "only one worker's part",
        ),
        ("reduce(a), for n in x { a *= n }", "only `+=` and `-=`"),
    ] {
        let found = error(wrong);
        assert!(found.contains(message), "{wrong}: {found}");
    }
}

#[test]
fn a_part_decides_nothing() {
    for wrong in [
        "if a > 50 { break }",
        "if a.insert(n) { f(n); }",
        "if !a.insert(n) { f(n); }",
        "if n > 3 { f(n) } else if a.len() >= 10 { break }",
        "while a.len() < 3 { a.push(n); }",
        "if let Some(last) = a.last() { f(last) }",
        "let Some(last) = a.last() else { continue };",
        "match a { 0 => f(n), _ => {} }",
        "match a.len() { 0 => f(n), _ => {} }",
        "match n { n if a.contains(&n) => {} _ => a.push(n) }",
        "let many = a.len() > 3;",
        "let new = n > 3 && a.insert(n);",
        "let known = !a.contains_key(&n);",
        "f(n, a == b);",
        "if a.get(&n).is_some() { f(n) }",
        "if (n + f(&a)? as i32) > 3 { f(n) }",
        "if { f(n); a > 3 } { f(n) }",
        "if a[n] > 3 { f(n) }",
        "for y in n { if y > a { f(n) } }",
        "let g = |y| y > a;",
    ] {
        let found = error(&format!("reduce(a), for n in x {{ a += n; {wrong} }}"));
        assert!(
            found.contains("`a` is only this worker's part here, not the whole so far"),
            "{wrong}: {found}"
        );
    }
}

#[test]
fn what_reads_a_part_is_told_so() {
    for wrong in [
        "let id = a; a += 1;",
        "f(a);",
        "f(n, &a);",
        "list.push((a, n));",
        "list.push((a.len(), n));",
        "let b = a.clone();",
        "f(a.iter().count());",
        "let b = S { a };",
        "let b = a * 2 + n;",
        "let b = a[0];",
        "let b = a.0;",
        "list.extend(a + 1);",
        "list[a].push(n);",
        "for m in &a { f(m) }",
        "let g = || f(a);",
        "list.push(format!(\"{a}: {n}\"));",
        "println!(\"{:>5}\", a);",
        "let m = a.len(); a.resize(n, 0); a[m - 1] += 1;",
        "writeln!(out, \"{a:>5}\");",
        "list.push(a.to_string());",
        "dbg!(a);",
        "info!(\"{a} so far\");",
        "list.extend(vec![a]);",
    ] {
        let found = error(&format!("reduce(a), for n in x {{ a += n; {wrong} }}"));
        assert!(
            found.starts_with(
                "`a` is only this worker's part here, not the whole so far; read it after the loop"
            ),
            "{wrong}: {found}"
        );
    }
    for wrong in ["assert!(a > 0);", "let new = a.insert(n); if new { f(n) }"] {
        let found = error(&format!("reduce(a), for n in x {{ a += n; {wrong} }}"));
        assert!(found.contains("decide by it after the loop"), "{found}");
    }
}

#[test]
fn what_rearranges_a_part_is_told_to_stand_after_the_loop() {
    for wrong in [
        "a.sort();",
        "a.sort_by(f); a.truncate(3);",
        "let last = a.pop();",
        "f(a.drain(..));",
        "a.clear();",
        "list.push(std::mem::take(&mut a));",
        "a.insert(0, n);",
    ] {
        let found = error(&format!("reduce(a), for n in x {{ a.push(n); {wrong} }}"));
        assert!(
            found.contains("after the loop") && found.contains("local(a = …)"),
            "{wrong}: {found}"
        );
    }
}

#[test]
fn under_log_and_ignore_a_mistake_is_not_told_of_each_question_mark() {
    let text = pretty(
        "error_policy = \"log\", wrokers = 3, for n in x { f(n)?.g()?; let g = || Ok(h()?); }",
    );
    assert!(
        has(&text, "untried(krate::__private::untried(f(n)).g())"),
        "{text}"
    );
    assert!(has(&text, "|| Ok(h()?)"), "{text}");
    let text = pretty("wrokers = 3, for n in x { f(n)?; }");
    assert!(has(&text, "f(n)?;"), "{text}");
}

#[test]
fn a_largest_or_smallest_value_is_assigned_as_a_whole() {
    for wrong in [
        "a += n;",
        "a -= n;",
        "a *= n;",
        "a |= n;",
        "a.0 = n;",
        "a[n] = n;",
    ] {
        let found = error(&format!("reduce(min(a)), for n in x {{ {wrong} }}"));
        assert!(
            found.starts_with("`a` keeps the smallest of whole values")
                && found.contains("`a = a.min(…)`"),
            "{wrong}: {found}"
        );
    }
}

#[test]
fn each_part_that_decides_is_told_of_once() {
    let found = errors(
        "reduce(a, b), for n in x { if a > 1 || b > 2 { f() } if a > b { f() } a += n; b += n; }",
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("`a`") && found[1].starts_with("`b`"));
}

#[test]
fn a_variable_that_changes_because_of_another_is_told_to_be_one_tuple_with_it() {
    for torn in [
        "if n < best { best = n; other = f(n); }",
        "if n < best { best = n; } else if n > other { other = n; }",
        "if let Some(n) = better(best, n) { other = n; }",
        "match n.cmp(&best) { Less => other = n, _ => {} }",
        "if n < best { best = n; sum += 1; }",
        "if n < best { best = n; if f(n) { list.push(n); } }",
        "let better = n < best; if better { best = n; other = f(n); }",
        "if n >= best { continue; } best = n; other = f(n);",
    ] {
        let used = "sum += 0; list.push(n); best = best.min(n); other = other.max(n);";
        let options = "reduce(sum, list, min(best), max(other))";
        let found = error(&format!("{options}, for n in x {{ {used} {torn} }}"));
        assert!(
            found.contains("because of `best`") && found.contains("`best = best.min((…, …))`"),
            "{torn}: {found}"
        );
    }
}

#[test]
fn what_adds_to_a_value_that_is_kept_whole_is_told_so() {
    for wrong in [
        "a.push(n);",
        "a.insert(n, n);",
        "a.push_str(n);",
        "a.extend_from_slice(n);",
    ] {
        let found = error(&format!("reduce(max(a)), for n in x {{ {wrong} }}"));
        assert!(
            found.contains("of whole values") && found.contains("write `reduce(a)`"),
            "{wrong}: {found}"
        );
    }
}

#[test]
fn variables_that_each_go_their_own_way_may_be_largest_and_smallest() {
    for fine in [
        "if n < best { best = n; } if n > other { other = n; }",
        "{ let better = n < best; f(better); } let better = n > 3; if better { sum += n; }",
        "best = best.min(n); other = other.max(n); sum += n;",
        "if n < best { best = n; let other = 1; f(other); }",
        "if f(n) { best = best.min(n); other = other.max(n); list.push(n); }",
        "if n < best { best = n; f(&mut list, best.max(n)); }",
    ] {
        let used = "sum += 0; list.push(n); best = best.min(n); other = other.max(n);";
        let options = "reduce(sum, list, min(best), max(other))";
        let found = errors(&format!("{options}, for n in x {{ {used} {fine} }}"));
        assert!(found.is_empty(), "{fine}: {found:#?}");
    }
}

#[test]
fn the_advice_fits_what_is_assigned() {
    for (value, advice) in [
        ("Vec::new()", "only add to it"),
        ("String::from(n)", "only add to it"),
        ("Other::new()", "write `a += …`"),
        ("Some(n)", "keeps the largest or smallest value"),
        ("a.wrapping_add(n)", "`std::num::Wrapping`"),
    ] {
        let found = error(&format!("reduce(a), for n in x {{ a += n; a = {value}; }}"));
        assert!(found.contains(advice), "{value}: {found}");
    }
}

#[test]
fn a_question_mark_in_a_try_block_stays_in_it() {
    let text = pretty("for n in x { let y = try { f(n)? }; g(y); }");
    assert!(has(&text, "try { f(n)? }"), "{text}");
    assert!(!text.contains("__Exit"), "{text}");
}

#[test]
fn a_part_may_be_changed_anywhere() {
    for right in [
        "if n > 3 { a += n } else { a -= n }",
        "match n { 3 => a.push(n), _ => a.extend(n) }",
        "write!(a, \"{n}\")?; writeln!(a, \"{}\", n)?; std::write!(a.b, \"\")?;",
        "let _ = a.insert(n); _ = a.insert(n);",
        "while n > 3 { a += n; }",
        "*a.entry(n).or_insert(0) += 1;",
        "if let Some(count) = a.get_mut(&n) { *count += 1 } else { a.insert(n, 1); }",
        "match a.entry(n) { Vacant(entry) => drop(entry.insert(1)), Occupied(_) => {} }",
        "if let Some(last) = a.last_mut() { last.add(n) }",
        "if read(&mut a)? == 0 { break }",
        "if n.read_line(&mut a)? > 0 && n.read(&mut a[3..])? > 0 { break }",
        "if a.write_all(n).is_err() { break }",
        "if walk(n, |file| a.push(file)).is_err() { break }",
        "if { a += n; n > 3 } { f(n) }",
        "if n.a > 3 && a::b(n) && n.a() { f(n) }",
        "let a = 3; if a > 3 { f(n) }",
        "if n.iter().any(|a| a > 3) { f(n) }",
        "if let Some(a) = n { if a > 3 { f(n) } }",
        "define!(a); if a > 3 { f(n) }",
        "n > 3 && { a += n; true };",
        "fn g(b: i32) -> bool { b > a }",
        "f(&mut a); a[n] += 1; a.b.push(n); a.extend(a::b(n)); ",
        "let last = a.last_mut(); a.iter_mut().for_each(g);",
        "let s = S { a: 3 }; a.b.c += s.a; (a) += 1;",
    ] {
        let found = errors(&format!("reduce(a), for n in x {{ a += n; {right} }}"));
        assert_eq!(found, [""; 0], "{right}");
    }
    assert_eq!(
        errors("reduce(max(a)), for n in x { if n > a && a != 3 { a = n } }"),
        [""; 0]
    );
    assert_eq!(
        errors("local(a = 3), for n in x { if a > n { a = n } }"),
        [""; 0]
    );
}

#[test]
fn all_options_are_listed() {
    let found = error("fast = 3, for n in x {}");
    assert!(
        found.ends_with(
            "the options are `workers`, `error_policy`, `pool`, `name`, `reduce`, `local`, `batch`, `monitor`, `progress`, \
             `live`, `stop`, `deadline`"
        ),
        "{found}"
    );
}

#[test]
fn progress_and_live_go_to_the_builder() {
    for (option, call) in [
        ("progress = true", ".progress(true)"),
        ("progress = false", ".progress(false)"),
        ("progress = \"pages\"", ".progress(\"pages\")"),
        ("progress = label(3)?", ".progress(label(3)?)"),
        ("live = &report", ".live(&report)"),
        ("live = report", ".live(report)"),
    ] {
        let text = pretty(&format!("{option}, for n in 0..10 {{ f(n); }}"));
        assert!(
            has(&text, &format!("Loop::new(){call}")),
            "{option}: {text}"
        );
    }
    // Neither of them makes the loop a `Result`.
    assert!(!pretty("progress = true, live = &report, for n in x {}").contains("or_stopped"));
}

#[test]
fn several_mistakes_are_told_at_once() {
    assert_eq!(
        errors("workers = 0, stpo = 3, monitor = \"x\", 7, for n in x { total += n; y.await; }")
            .len(),
        6
    );
}

#[test]
fn what_only_looks_like_a_mistake_passes() {
    for right in [
        "for n in x { let mut total = 0; total += n; }",
        "for (mut n, S { total, .. }) in x { n += 1; total = 2; }",
        "for n in x { define!(total); total += n; }",
        "for n in x { unsafe { COUNT += n; *pointer = n; } }",
        "for n in x { static mut total: u32 = 0; unsafe { total += n } }",
        "reduce(max(a)), for n in x { a = n; }",
        "reduce(a), for n in x { a += n; a -= 1; a.b = 3; a.push(1); }",
        "reduce(a), for n in x { dbg!(a.push(n)); a += n; }",
        "reduce(a), for n in x { a[f(n) % a.len()] += 1; for i in 0..a.len() { a[i][a[i].len() - 1] += n; } }",
        "reduce(a), for n in x { let last = a.len() - 1; if let Some(a) = a.get_mut(last) { *a += n; } }",
        "reduce(a), for n in x { a.0 += n; a.1.0 = a.1.0.max(n); }",
        "reduce(a), for n in x { a.first(n); a.clear(n); a.remove(n); let y = a.get(n); let _old = a.insert(n, n); }",
        "reduce(a, b), for n in x { a += n; b.push(format!(\"{a}, {{a}}\", a = n)); }",
        "reduce(a), for n in x { let delta = n - a.mean; a.mean += delta / a.count; a.max = max(a.max, n); }",
        "reduce(max), for n in x { max += n; }",
        "local(a = 1,), for n in x { a = n; },",
        "for n in x { async { y.await?; return 3; }; }",
        "monitor = false, progress = \"x\", live = &report, name = \"x\", stop = &token, deadline = limit, pool = &p, batch = 1, for n in x {}",
        "for n in if a { b } else { c } {}",
        "for A(n) | B(n) in x {}",
        "workers = for_each::<for<'a> fn(&'a u8)>(), for n in x {}",
        "for n in x { #![allow(unused)] f(n) }",
        "for n in x { odd!(bail => n) }",
    ] {
        assert_eq!(errors(right), [""; 0], "{right}");
    }
}

#[test]
fn the_sequential_loop_stands_beside_an_error() {
    let text = pretty(
        "wrokers = 3, stop = &token, local(buffer = make()), 'a: for n in x { f(n, buffer)?; break 'a; }",
    );
    for part in [
        "compile_error!",
        "'a: for n in x",
        "f(n, buffer)?;",
        "let mut buffer = make();",
        "_ = &(&token);",
        "Stopped>>::new().take()",
    ] {
        assert!(has(&text, part), "{part} is missing in {text}");
    }
}

#[test]
fn no_input_makes_it_panic() {
    const SEEDS: &[&str] = &[
        "workers = 4, error_policy = \"log\", reduce(a, max(b)), local(c = d?), 'l: for (x, y) in z.iter() { a += x?; break 'l; }",
        "stop = &t, deadline = \"3s\", progress = \"x\", live = &l, for x in 0..9 { println!(\"{x}\", y = f(x)?); bail!(\"{}\", x); return Some(Ok(x)); }",
        "for x in { y } { parallel_for!(batch = 1, 'm: for k in x { continue 'm; k? }); 'b: { break 'b 3 }; |p| q?; async { r.await } }",
        "name = match x { _ => 3 }, while let Some(x) = y { loop { } }",
    ];
    fn mutate(tokens: TokenStream, random: &mut impl FnMut(usize) -> usize) -> TokenStream {
        let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
        if tokens.is_empty() {
            return TokenStream::new();
        }
        let at = random(tokens.len());
        match random(6) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[random(tokens.len())].clone()),
            2 => {
                let other = random(tokens.len());
                tokens.swap(at, other);
            }
            3 => tokens.truncate(at),
            _ => {
                let groups: Vec<usize> = (0..tokens.len())
                    .filter(|&at| matches!(tokens[at], TokenTree::Group(_)))
                    .collect();
                if !groups.is_empty() {
                    let at = groups[random(groups.len())];
                    if let TokenTree::Group(group) = &tokens[at] {
                        let delimiters = [
                            Delimiter::Brace,
                            Delimiter::Parenthesis,
                            Delimiter::None,
                            group.delimiter(),
                        ];
                        tokens[at] =
                            Group::new(delimiters[random(4)], mutate(group.stream(), random))
                                .into();
                    }
                }
            }
        }
        tokens.into_iter().collect()
    }
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for round in 0..4_000 {
        let seed = TokenStream::from_str(SEEDS[round % SEEDS.len()]).unwrap();
        let mutated = (0..1 + round % 4).fold(seed, |tokens, _| mutate(tokens, &mut random));
        super::expand(quote::quote!(krate, #mutated));
    }
    super::expand(TokenStream::new());
    super::expand(quote::quote!(krate));
}
