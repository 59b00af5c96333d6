//! Tasks of a scope.

use super::{explore, explore_with_failed_starts, explore_with_timeouts, pool};
use crate::describe::{DescribeType, VtableDisplay as _};
use crate::raw::watched::Watched;
use crate::sync::Arc;
use crate::task::{self, Call, ScopeError, ScopeFailure};

/// A function that works on what its argument borrows, and fails if it is told so.
fn call<'a>() -> Call<(&'a Watched, bool), (), &'a Watched, String> {
    let error = (&&DescribeType::<String>::new()).vtable();
    let run = |(data, fails): (&'a Watched, bool)| {
        data.write();
        if fails {
            Err("it fails".to_owned())
        } else {
            Ok(data)
        }
    };
    Call::of("model", run, |_| (), |()| None, error)
}

#[test]
fn a_scope_ends_after_the_last_of_its_tasks() {
    explore(|| {
        let pool = pool(1);
        let data = [Watched::new(), Watched::new()];
        let outcome = task::scope(&pool, call(), |tasks| {
            for data in &data {
                tasks.submit(data, false);
            }
        });
        assert!(outcome.is_ok());
        data.iter().for_each(Watched::write);
    });
}

#[test]
fn results_are_read_as_they_come() {
    explore_with_timeouts(2, || {
        let pool = pool(1);
        let data = [Watched::new(), Watched::new()];
        let read = task::scope(&pool, call(), |tasks| {
            for data in &data {
                tasks.submit(data, false);
            }
            let mut read = 0;
            for done in tasks.as_completed() {
                done?.result.write();
                read += 1;
            }
            Ok::<_, ScopeFailure<String>>(read)
        });
        assert_eq!(read.unwrap(), 2);
    });
}

#[test]
fn a_failure_ends_a_scope_and_is_not_lost() {
    explore(|| {
        let pool = pool(1);
        let data = [Watched::new(), Watched::new()];
        let outcome = task::scope(&pool, call(), |tasks| {
            for data in &data {
                tasks.submit(data, true);
            }
        });
        assert!(matches!(outcome, Err(ScopeError::Task(error)) if error.index() == 0));
        data.iter().for_each(Watched::write);
    });
}

#[test]
fn a_scope_whose_closure_fails_waits_for_what_runs() {
    explore(|| {
        let pool = pool(1);
        let data = Watched::new();
        let outcome = task::scope(&pool, call(), |tasks| {
            tasks.submit(&data, false);
            Err::<(), _>(ScopeFailure::new("the closure fails"))
        });
        assert!(matches!(outcome, Err(ScopeError::Body(_))));
        data.write();
    });
}

#[test]
fn mapped_results_come_in_order() {
    explore(|| {
        let pool = pool(1);
        let data = [Watched::new(), Watched::new()];
        let outcome = task::scope(&pool, call(), |tasks| {
            let inputs = data.iter().map(|data| (data, false));
            tasks.map(inputs);
            for (done, data) in tasks.in_order().zip(&data) {
                assert!(std::ptr::eq(done?.result, data));
                data.write();
            }
            Ok::<_, ScopeFailure<String>>(())
        });
        assert!(outcome.is_ok());
    });
}

#[test]
fn a_scope_runs_on_the_threads_that_can_be_started() {
    explore_with_failed_starts(2, || {
        let pool = pool(2);
        let data = [Watched::new(), Watched::new()];
        let outcome = task::scope(&pool, call(), |tasks| {
            for data in &data {
                tasks.submit(data, false);
            }
        });
        assert!(outcome.is_ok());
        data.iter().for_each(Watched::write);
    });
}

#[test]
fn two_workers_share_the_tasks_of_a_scope() {
    explore(|| {
        let pool = pool(2);
        let data = [Watched::new(), Watched::new()];
        let read = task::scope(&pool, call(), |tasks| {
            tasks.map(data.iter().map(|data| (data, false)));
            let mut read = 0;
            for done in tasks.as_completed() {
                done?.result.write();
                read += 1;
            }
            Ok::<_, ScopeFailure<String>>(read)
        });
        assert_eq!(read.unwrap(), 2);
    });
}

#[test]
fn a_submit_that_waits_for_room_hears_of_a_failure() {
    explore(|| {
        let pool = pool(1);
        let data = [Watched::new(), Watched::new()];
        let mut call = call();
        call.capacity = Some(0);
        let outcome = task::scope(&pool, call, |tasks| {
            for data in &data {
                tasks.submit(data, true);
            }
        });
        assert!(matches!(outcome, Err(ScopeError::Task(error)) if error.index() == 0));
        data.iter().for_each(Watched::write);
    });
}

#[test]
fn results_that_are_dropped_early_leave_nothing_behind() {
    explore(|| {
        let pool = pool(1);
        let error = (&&DescribeType::<String>::new()).vtable();
        let run = |(data,): (Arc<Watched>,)| {
            data.write();
            Ok(data)
        };
        let call = Call::of("model", run, |_| (), |()| None, error);
        let data = Arc::new(Watched::new());
        let mut results = task::map(&pool, call, vec![data.clone(), data.clone()]);
        results.next().unwrap().unwrap();
        drop(results);
        drop(pool);
        data.write();
        assert_eq!(Arc::strong_count(&data), 1);
    });
}
