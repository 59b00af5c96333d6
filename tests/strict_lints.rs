//! What the macros write passes the lints that a strict user may turn on, those that clippy keeps off by default included.
//! `cargo clippy --all-targets` is what sees it.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore_drop,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
// From `clippy::restriction`, of which nobody turns on all.
#![deny(
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::as_underscore,
    clippy::clone_on_ref_ptr,
    clippy::default_numeric_fallback,
    clippy::default_union_representation,
    clippy::else_if_without_else,
    clippy::error_impl_error,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::field_scoped_visibility_modifiers,
    clippy::get_unwrap,
    clippy::if_then_some_else_none,
    clippy::impl_trait_in_params,
    clippy::indexing_slicing,
    clippy::infinite_loop,
    clippy::integer_division,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::map_err_ignore,
    clippy::map_with_unused_argument_over_ranges,
    clippy::missing_assert_message,
    clippy::missing_inline_in_public_items,
    clippy::mixed_read_write_in_expression,
    clippy::module_name_repetitions,
    clippy::multiple_inherent_impl,
    clippy::multiple_unsafe_ops_per_block,
    clippy::needless_raw_strings,
    clippy::non_zero_suggestions,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::partial_pub_fields,
    clippy::pattern_type_mismatch,
    clippy::pub_use,
    clippy::redundant_type_annotations,
    clippy::ref_patterns,
    clippy::renamed_function_params,
    clippy::rest_pat_in_fully_bound_structs,
    clippy::same_name_method,
    clippy::self_named_module_files,
    clippy::semicolon_inside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::single_char_lifetime_names,
    clippy::str_to_string,
    clippy::string_add,
    clippy::string_slice,
    clippy::todo,
    clippy::try_err,
    clippy::undocumented_unsafe_blocks,
    clippy::unimplemented,
    clippy::unnecessary_safety_comment,
    clippy::unneeded_field_pattern,
    clippy::unreachable,
    clippy::unseparated_literal_suffix,
    clippy::unused_result_ok,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::use_debug,
    clippy::verbose_file_reads,
    clippy::wildcard_enum_match_arm
)]

use core::num::ParseIntError;
use core::time::Duration;

use futureproof::{ErrorPolicy, StopToken, parallel_for, task_pool};

fn plain(words: &[&str]) -> u64 {
    parallel_for!(for word in words {
        if word.is_empty() {
            break;
        }
    })
    .completed()
}

fn with_all_exits(words: &[&str]) -> Result<Option<usize>, ParseIntError> {
    let mut longest = 0_usize;
    let mut numbers: Vec<u32> = Vec::new();
    let report = parallel_for!(
        workers = 2,
        name = "strict",
        monitor = "1s",
        reduce(max(longest), numbers),
        local(buffer = String::new()),
        'own: for (index, word) in words.iter().enumerate() {
            buffer.push_str(word);
            longest = longest.max(buffer.len());
            if word.is_empty() {
                continue 'own;
            }
            if *word == "break" {
                break;
            }
            if *word == "return" {
                return Ok(Some(index));
            }
            numbers.push(Word { text: word }.number()?);
        }
    );
    Ok((report.completed() > 0).then_some(numbers.len()))
}

struct Word<'text> {
    text: &'text str,
}

impl Word<'_> {
    fn number(&self) -> Result<u32, ParseIntError> {
        self.text.parse()
    }
}

fn nested(rows: &[&[&str]], policy: ErrorPolicy, token: &StopToken) -> Result<u32, ParseIntError> {
    let mut kept: Vec<u32> = Vec::new();
    let stopped = 'found: {
        let outer = parallel_for!(
            error_policy = policy,
            stop = token,
            deadline = Duration::from_secs(60),
            reduce(kept),
            'rows: for row in rows {
                let inner = parallel_for!(
                    error_policy = "log",
                    reduce(kept),
                    for word in *row {
                        match word.parse::<u32>()? {
                            0 => continue 'rows,
                            1 => break 'found false,
                            number => kept.push(number),
                        }
                    }
                );
                if inner.failed() > 0 {
                    return row.concat().parse();
                }
            }
        );
        outer.is_err()
    };
    Ok(if stopped { 0 } else { sum_of(&kept) })
}

fn sum_of(numbers: &[u32]) -> u32 {
    numbers.iter().sum()
}

/// Loads.
///
/// # Errors
///
/// If it is no number.
#[inline]
#[task_pool(
    workers = 2,
    error_policy = "log",
    retry = 2,
    retry_if = |error| !error.to_string().is_empty(),
    timeout = "5s",
    rate_limit = "1000/s burst 1000",
    monitor = "1s",
    capacity = 3,
    max_tasks_per_thread = 10,
    on_thread_start = || Ok::<(), &str>(()),
    on_thread_stop = || ()
)]
pub fn load(text: &str, _wait: Duration) -> Result<u32, ParseIntError> {
    text.parse()
}

#[task_pool]
fn apply<Value, Output>(value: Value, by: impl Fn(Value) -> Output) -> Output {
    by(value)
}

struct Client(u8);

impl Client {
    #[task_pool]
    fn get(&self, path: &str) -> usize {
        path.len().saturating_add(usize::from(self.0))
    }

    #[task_pool(keep_args = false)]
    const fn set(&mut self, value: u8) {
        self.0 = value;
    }
}

#[test]
fn strict_users_get_what_others_get() {
    assert_eq!(plain(&["a", ""]), 2, "the item that breaks is counted");
    assert_eq!(with_all_exits(&["1", "", "2"]), Ok(Some(2)), "two numbers");
    assert_eq!(with_all_exits(&["1", "return"]), Ok(Some(1)), "the index");
    assert!(with_all_exits(&["x"]).is_err(), "no number");
    let (policy, token) = (ErrorPolicy::Raise, StopToken::new());
    assert_eq!(
        load::submit("5", Duration::ZERO).join().ok(),
        Some(5),
        "a number"
    );
    assert_eq!(
        apply::submit(2_u8, |two| two).join().ok(),
        Some(2),
        "the same"
    );
    let client = Client(1);
    let lengths = Client::get_scope(|tasks| {
        let _: usize = tasks.submit(&client, "path");
        let mut lengths = tasks.as_completed().flatten();
        Ok(lengths.next().map(|done| done.result))
    });
    assert_eq!(lengths.ok(), Some(Some(5)), "the path and one");
    assert_eq!(nested(&[&["5", "6"]], policy, &token), Ok(11), "the sum");
}
