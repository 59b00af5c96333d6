//! Built with `panic = "abort"` by `.ci/checks/faults`: what a loop or a pool does there that works, and what one does whose body
//! panics. The first argument says which.

use futureproof::{ErrorPolicy, ParallelFor, StopToken, parallel_for, pull, pull_here, task_pool};

#[task_pool(workers = 3)]
fn half(n: u64) -> Result<u64, String> {
    assert!(n != 77, "the task panics");
    if n.is_multiple_of(2) {
        Ok(n / 2)
    } else {
        Err(format!("{n} is odd"))
    }
}

fn works() -> Result<(), Box<dyn std::error::Error>> {
    let mut sum = 0;
    parallel_for!(
        workers = 3,
        reduce(sum),
        for n in 0..1000_u64 {
            sum += n;
        }
    );
    assert_eq!(sum, 499_500);
    for policy in [ErrorPolicy::Log, ErrorPolicy::Ignore] {
        let options = || ParallelFor::new().workers(3).error_policy(policy);
        let odd = |n: u64| {
            if n.is_multiple_of(2) {
                Ok(())
            } else {
                Err("odd")
            }
        };
        assert_eq!(options().try_for_each(0..100, odd)?.failed(), 50);
        assert_eq!(options().try_for_each(pull(0..100), odd)?.failed(), 50);
        assert_eq!(options().try_for_each(pull_here(0..100), odd)?.failed(), 50);
    }
    let first = || {
        parallel_for!(
            workers = 3,
            for n in 0..1000 {
                if n % 70 == 69 {
                    return Some(n);
                }
            }
        );
        None
    };
    assert_eq!(first(), Some(69));
    let stop = StopToken::new();
    let stopped = parallel_for!(
        workers = 3,
        stop = &stop,
        for n in 0.. {
            if n == 50 {
                stop.stop();
            }
        }
    );
    assert!(stopped.is_err());

    let halves = half::configure()
        .error_policy(ErrorPolicy::Ignore)
        .scope(|tasks| {
            tasks.map((0..70).chain(80..150));
            Ok(tasks.as_completed().filter(Result::is_ok).count())
        })?;
    assert_eq!(halves, 70);
    assert_eq!(half::map((0..70).map(|n| 2 * n)).flatten().count(), 70);
    let handles: Vec<_> = (0..70).map(half::submit).collect();
    let failed = handles.into_iter().filter_map(|handle| handle.join().err());
    assert_eq!(failed.count(), 35);
    let error = half::scope(|tasks| tasks.map(0..10)).unwrap_err();
    assert!(error.to_string().contains("is odd"), "{error}");
    half::pool().drain(std::time::Duration::from_secs(60))?;
    Ok(())
}

fn main() {
    let panics = |n: u64| assert!(n != 77, "the body panics");
    let which = std::env::args().nth(1).unwrap_or_default();
    match which.as_str() {
        "works" => works().unwrap(),
        "sequential" => (0..100).for_each(panics),
        "range" => drop(ParallelFor::new().workers(3).for_each(0..100, panics)),
        "iterator" => drop(ParallelFor::new().workers(3).for_each(pull(0..100), panics)),
        "fed" => drop(
            ParallelFor::new()
                .workers(3)
                .for_each(pull_here(0..100), panics),
        ),
        "ignored" => {
            let options = ParallelFor::new()
                .workers(3)
                .error_policy(ErrorPolicy::Ignore);
            options.for_each(0..100, panics);
        }
        "source" => {
            let source = (0..100).inspect(|n| panics(*n));
            ParallelFor::new().workers(3).for_each(pull(source), |_| {});
        }
        "scope" => drop(half::scope(|tasks| tasks.map([0, 77, 2]))),
        "results" => drop(half::map([0, 77, 2]).count()),
        "handle" => drop(half::submit(77).join()),
        other => panic!("what is {other:?}?"),
    }
    println!("the end");
}
