//! The same job in what you know and in futureproof, and what changes.
// The pages name crates that this one does not depend on, so they are tested in `tests/docs`, which does.
#![cfg_attr(not(doctest), doc = include_str!("coming_from/index.md"))]

/// From `par_iter`, `par_bridge` and `try_for_each` to a `for`.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/rayon.md"))]
#[doc(alias("par_bridge", "par_iter"))]
pub mod rayon {}

/// From `std::thread::scope`, chunks and a `Mutex<Vec>` to a loop.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/threads.md"))]
#[doc(alias("thread::scope", "spawn"))]
pub mod threads {}

/// From `ThreadPool::execute` and a channel to a function with a pool.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/threadpool.md"))]
#[doc(alias("execute"))]
pub mod threadpool {}

/// From workers on a `crossbeam-channel` to a loop, and to a scope.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/channels.md"))]
#[doc(alias("crossbeam", "mpsc"))]
pub mod channels {}

/// From `spawn_blocking`, `JoinSet` and `buffer_unordered` to loops beside the runtime, and handles that are awaited.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/tokio.md"))]
#[doc(alias("spawn_blocking", "buffer_unordered"))]
pub mod tokio {}

/// From `concurrent.futures`, futureproof, Pebble and more-executors: what they offer for this kind of work, and what is here.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/python.md"))]
#[doc(alias("concurrent.futures", "ThreadPoolExecutor"))]
pub mod python {}

/// From `errgroup` and conc to loops and scopes, and from a context to a stop token.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/go.md"))]
#[doc(alias("errgroup", "goroutine"))]
pub mod go {}

/// From `#pragma omp parallel for` and its clauses to a loop and its options.
#[cfg_attr(not(doctest), doc = "", doc = include_str!("coming_from/openmp.md"))]
#[doc(alias("pragma omp"))]
pub mod openmp {}
