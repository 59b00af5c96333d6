//! What the options are called, and what is said of a name that is none of them.

use crate::nearest::nearest;

pub(crate) const OPTIONS: &[&str] = &[
    "workers",
    "error_policy",
    "pool",
    "name",
    "reduce",
    "local",
    "batch",
    "monitor",
    "progress",
    "live",
    "stop",
    "deadline",
];

/// What other libraries, or `#[task_pool]`, call the same, where the spelling does not give it away.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("max_workers", "workers"),
    ("threads", "workers"),
    ("num_threads", "workers"),
    ("concurrency", "workers"),
    ("policy", "error_policy"),
    ("chunk", "batch"),
    ("chunk_size", "batch"),
    ("bar", "progress"),
    ("report", "live"),
    ("timeout", "deadline"),
    ("time_limit", "deadline"),
];

/// Options of `#[task_pool]` that a loop has nothing like.
const OF_TASKS: &[&str] = &[
    "raise_after",
    "retry",
    "retry_if",
    "rate_limit",
    "capacity",
    "max_tasks_per_thread",
    "on_thread_start",
    "on_thread_stop",
    "keep_args",
];

/// The option that an unknown one was most likely meant to be.
pub(super) fn meant(unknown: &str) -> Option<&'static str> {
    if OF_TASKS.contains(&unknown) {
        return None;
    }
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == unknown);
    other.map_or_else(|| nearest(unknown, OPTIONS), |(_, name)| Some(*name))
}

pub(super) fn unknown(unknown: &str, meant: Option<&str>) -> String {
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`? "),
        None if OF_TASKS.contains(&unknown) => "it belongs to `#[task_pool]`; ".to_owned(),
        None => String::new(),
    };
    let options: Vec<String> = OPTIONS.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "unknown option `{unknown}`; {hint}the options are {}",
        options.join(", ")
    )
}
