//! Tasks that are tried again, must end in time, or can be stopped.

use std::time::Duration;

use super::{explore, pool};
use crate::describe::{DescribeType, VtableDisplay as _};
use crate::pool::TaskPool;
use crate::raw::watched::Watched;
use crate::stop::StopToken;
use crate::sync::{Arc, AtomicUsize, Ordering};
use crate::task::{self, Call, Configured, Retry};

/// What a task works on, and how often it fails.
struct Job {
    data: Watched,
    failures: usize,
    runs: AtomicUsize,
}

fn job(failures: usize) -> Arc<Job> {
    Arc::new(Job {
        data: Watched::new(),
        failures,
        runs: AtomicUsize::new(0),
    })
}

fn configure(pool: &TaskPool) -> Configured<(Arc<Job>,), (), (), String> {
    let error = (&&DescribeType::<String>::new()).vtable();
    let run = |(job,): (Arc<Job>,)| {
        job.data.write();
        if job.runs.fetch_add(1, Ordering::Relaxed) < job.failures {
            Err("it fails".to_owned())
        } else {
            Ok(())
        }
    };
    let call = Call::of("model", run, |_| (), |()| None, error);
    task::configure(pool, call.cloning(Clone::clone))
}

#[test]
fn a_task_that_fails_is_tried_again() {
    explore(|| {
        let (pool, job) = (pool(1), job(1));
        let retry = Retry::attempts(2).backoff(Duration::ZERO).jitter(false);
        let handle = configure(&pool).retry(retry).submit(job.clone());
        handle.join().unwrap();
        assert_eq!(job.runs.load(Ordering::Relaxed), 2);
        drop(pool);
        job.data.write();
        assert_eq!(Arc::strong_count(&job), 1);
    });
}

#[test]
fn a_task_that_is_stopped_between_its_attempts_ends() {
    explore(|| {
        let (pool, job) = (pool(1), job(1));
        let retry = Retry::attempts(2).backoff(Duration::ZERO).jitter(false);
        let handle = configure(&pool).retry(retry).submit(job.clone());
        handle.stop();
        let error = handle.join().err();
        let runs = job.runs.load(Ordering::Relaxed);
        match error {
            None => assert_eq!(runs, 2),
            Some(error) => assert_eq!(error.is_cancelled(), runs == 0),
        }
        drop(pool);
        job.data.write();
    });
}

#[test]
fn a_task_has_run_in_time_or_timed_out() {
    explore(|| {
        let (pool, job) = (pool(1), job(0));
        let limit = Duration::from_nanos(1);
        let handle = configure(&pool).timeout(limit).submit(job.clone());
        if let Err(error) = handle.join() {
            assert!(error.is_timed_out());
        }
        drop(pool);
        job.data.write();
        assert!(job.runs.load(Ordering::Relaxed) <= 1);
        assert_eq!(Arc::strong_count(&job), 1);
    });
}

#[test]
fn a_task_whose_token_is_stopped_has_run_or_is_cancelled() {
    explore(|| {
        let (pool, job) = (pool(1), job(0));
        let token = StopToken::new();
        let stopper = {
            let token = token.clone();
            loom::thread::spawn(move || token.stop())
        };
        let handle = configure(&pool).stop(&token).submit(job.clone());
        let cancelled = handle.join().err().map(|error| error.is_cancelled());
        assert_ne!(cancelled, Some(false));
        stopper.join().unwrap();
        drop(pool);
        job.data.write();
        let runs = job.runs.load(Ordering::Relaxed);
        assert_eq!(runs, usize::from(cancelled.is_none()));
    });
}

#[test]
fn a_thread_that_has_run_its_tasks_is_replaced() {
    explore(|| {
        let pool = TaskPool::builder()
            .workers(1)
            .max_tasks_per_thread(1)
            .build();
        let jobs = [job(0), job(0)];
        let handles = jobs
            .each_ref()
            .map(|job| configure(&pool).submit(job.clone()));
        for handle in handles {
            handle.join().unwrap();
        }
        drop(pool);
        jobs.iter().for_each(|job| job.data.write());
    });
}
