//! The rows of the table.

mod billion;
mod fail;
mod idle;
mod lazy;
mod map;
mod monitor;
mod range;
mod skewed;
mod sleeps;
mod slice;
mod small;
mod submit;

use crate::row::Row;
use crate::setup::Setup;

pub use billion::child as billion_child;
pub use idle::child as idle_child;

/// A row that can be measured.
pub struct Entry {
    pub id: &'static str,
    pub what: &'static str,
    pub measure: fn(&Setup) -> Row,
}

const fn entry(id: &'static str, measure: fn(&Setup) -> Row, what: &'static str) -> Entry {
    Entry { id, what, measure }
}

pub const ALL: &[Entry] = &[
    entry(
        "range-trivial",
        range::trivial,
        "Sum of a trivial body (one 64-bit mix) over an integer range",
    ),
    entry(
        "range-0.1us",
        range::tenth,
        "Sum of a 0.1 µs body over an integer range",
    ),
    entry(
        "slice-mut",
        slice::update_in_place,
        "Update of every `u64` of a large slice, bound by memory",
    ),
    entry(
        "lazy-trivial",
        lazy::trivial,
        "Sum of a trivial body over an iterator (`map` and `filter`) that is pulled",
    ),
    entry(
        "lazy-1us",
        lazy::one,
        "Sum of a 1 µs body over an iterator that is pulled",
    ),
    entry(
        "skewed-range",
        skewed::range,
        "1 µs bodies, 1 in 100 of 100 µs, over an integer range",
    ),
    entry(
        "skewed-lazy",
        skewed::lazy,
        "1 µs bodies, 1 in 100 of 100 µs, over an iterator that is pulled",
    ),
    entry(
        "small-loops",
        small::loops,
        "Loops of 64 items of 0.1 µs, one after another",
    ),
    entry(
        "submit-scope",
        submit::scope,
        "Trivial tasks submitted one by one",
    ),
    entry(
        "map-in-order",
        map::in_order,
        "Results of trivial tasks over an iterator, in input order",
    ),
    entry(
        "map-completed",
        map::completed,
        "Results of trivial tasks over an iterator, in order of completion",
    ),
    entry(
        "map-in-order-1us",
        map::in_order_one,
        "Results of 1 µs tasks over an iterator, in input order",
    ),
    entry(
        "map-completed-1us",
        map::completed_one,
        "Results of 1 µs tasks over an iterator, in order of completion",
    ),
    entry("sleeps", sleeps::sleeps, "Sleeps of 1 ms on 64 workers"),
    entry(
        "fail-at-k",
        fail::fail_at_k,
        "Loops over 10⁹ items in which one body fails",
    ),
    entry(
        "billion",
        billion::billion,
        "Very many trivial items: time and memory",
    ),
    entry(
        "monitor",
        monitor::monitor,
        "0.1 µs bodies with the monitor on and off",
    ),
    entry("idle", idle::idle, "A warm pool without work"),
];

/// An iterator over `0..items` that can only be pulled.
fn pulled(items: u64) -> impl Iterator<Item = u64> + Send + 'static {
    (0..items).filter(|_| true)
}
