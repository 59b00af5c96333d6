//! The peers' pools, and what their users write by hand.

use std::num::{NonZero, Wrapping};
use std::ops::Range;
use std::thread;

use paralight::prelude::{CpuPinningPolicy, RangeStrategy, ThreadCount, ThreadPoolBuilder};

pub fn rayon(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads can be started")
}

/// `Fixed` is what paralight's documentation recommends where items take equally long, `WorkStealing` where they do not.
pub fn paralight(threads: usize, strategy: RangeStrategy) -> paralight::threads::ThreadPool {
    ThreadPoolBuilder {
        num_threads: ThreadCount::try_from(threads).expect("more than zero threads"),
        range_strategy: strategy,
        cpu_pinning: CpuPinningPolicy::No,
    }
    .build()
}

/// The calling thread is one of chili's.
pub fn chili(threads: usize) -> chili::ThreadPool {
    chili::ThreadPool::with_config(chili::Config {
        thread_count: NonZero::new(threads),
        ..chili::Config::default()
    })
}

/// Sums what `body` makes of a range, on the pool that this thread belongs to.
pub fn rayon_sum(range: Range<u64>, body: impl Fn(u64) -> u64 + Sync + Send) -> u64 {
    use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

    let sum: Wrapping<u64> = range.into_par_iter().map(|item| Wrapping(body(item))).sum();
    sum.0
}

/// Sums what `body` makes of a range, which for orx-parallel consists of `usize`.
pub fn orx_sum(
    range: Range<u64>,
    threads: usize,
    body: impl Fn(u64) -> u64 + Sync + Send + Copy,
) -> u64 {
    use orx_parallel::*;

    (range.start as usize..range.end as usize)
        .par()
        .num_threads(threads)
        .map(move |item| body(item as u64))
        .reduce(u64::wrapping_add)
        .unwrap_or(0)
}

/// Sums what `body` makes of a range, which for paralight consists of `usize`.
pub fn paralight_sum(
    pool: &mut paralight::threads::ThreadPool,
    range: Range<u64>,
    body: impl Fn(u64) -> u64 + Sync,
) -> u64 {
    use paralight::prelude::*;

    (range.start as usize..range.end as usize)
        .into_par_iter()
        .with_thread_pool(pool)
        .map(|item| body(item as u64))
        .reduce(|| 0, u64::wrapping_add)
}

/// Sums what `body` makes of a range by halving it until `grain` items are left.
pub fn chili_sum(
    scope: &mut chili::Scope<'_>,
    range: Range<u64>,
    grain: u64,
    body: impl Fn(u64) -> u64 + Sync + Copy,
) -> u64 {
    if range.end - range.start <= grain {
        return sum(range, body);
    }
    let middle = range.start.midpoint(range.end);
    let (left, right) = scope.join(
        |scope| chili_sum(scope, range.start..middle, grain, body),
        |scope| chili_sum(scope, middle..range.end, grain, body),
    );
    left.wrapping_add(right)
}

/// The calling thread is one of forkunion's. Its workers spin for as long as the pool lives, so it is built anew for
/// every run, outside of the time measured.
#[cfg(feature = "forkunion")]
pub fn forkunion(threads: usize) -> forkunion::ThreadPool {
    let topology = forkunion::Topology::new().expect("the machine can be described");
    forkunion::ThreadPool::try_spawn(&topology, threads).expect("threads can be started")
}

/// Sums what `body` makes of `0..items` in a slice for each thread.
#[cfg(feature = "forkunion")]
pub fn forkunion_sum(
    pool: &mut forkunion::ThreadPool,
    items: u64,
    body: impl Fn(u64) -> u64 + Sync + Copy,
) -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};

    let total = AtomicU64::new(0);
    drop(pool.for_slices(items as usize, |prong, count| {
        let start = prong.task_index as u64;
        total.fetch_add(sum(start..start + count as u64, body), Ordering::Relaxed);
    }));
    total.into_inner()
}

/// Sums what `body` makes of `0..items` with `std::thread::scope` and one part for each thread.
pub fn by_hand(items: u64, threads: usize, body: impl Fn(u64) -> u64 + Sync + Copy + Send) -> u64 {
    let threads = threads as u64;
    let part = |thread: u64| items * thread / threads..items * (thread + 1) / threads;
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|thread| scope.spawn(move || sum(part(thread), body)))
            .collect();
        let own = sum(part(0), body);
        others
            .into_iter()
            .map(|other| other.join().expect("bodies do not panic"))
            .fold(own, u64::wrapping_add)
    })
}

/// The plain loop.
pub fn sum(range: Range<u64>, body: impl Fn(u64) -> u64) -> u64 {
    let mut sum = 0_u64;
    for item in range {
        sum = sum.wrapping_add(body(item));
    }
    sum
}
