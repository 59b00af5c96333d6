//! Handles as futures, on any executor.

mod kit;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use futureproof_core::__private::submit;
use futureproof_core::ErrorPolicy::Raise;
use futureproof_core::{TaskErrorKind, TaskPool};
use kit::{
    Counter, Door, Oops, WORKERS, bodies, double, for_workers, half, no_hang, numbers, pool,
};

struct Unpark(Thread, AtomicUsize);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(
        std::thread::current(),
        AtomicUsize::new(0),
    )));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn a_handle_can_be_awaited() {
    for_workers(|pool, _| {
        block_on(async {
            for n in 0..200 {
                assert_eq!(
                    submit(pool, numbers(Raise, double), (n,)).await.unwrap(),
                    n * 2
                );
            }
            let error = submit(pool, numbers(Raise, half), (1,)).await.unwrap_err();
            assert!(matches!(error.into_kind(), TaskErrorKind::Failed(Oops(_))));
        });
    });
}

#[test]
fn an_awaiting_task_is_woken_by_a_cancel_and_by_the_last_waker_it_left() {
    for_workers(|_, workers| {
        let pool = pool(workers);
        let (door, started) = (Door::new(), Counter::new());
        let (inside, begun) = (door.clone(), started.clone());
        let mut handle = Box::pin(submit(
            &pool,
            bodies(Raise),
            (Box::new(move || {
                begun.add();
                inside.wait();
                Ok(1)
            }),),
        ));
        started.wait_for(1);
        let [first, last] =
            [(); 2].map(|()| Arc::new(Unpark(std::thread::current(), AtomicUsize::new(0))));
        for waker in [&first, &last] {
            let waker = Waker::from(waker.clone());
            assert!(
                handle
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
        }
        door.open();
        while last.1.load(Ordering::SeqCst) == 0 {
            std::thread::park();
        }
        assert_eq!(first.1.load(Ordering::SeqCst), 0);
        assert_eq!(block_on(handle).unwrap(), 1);
    });
}

#[test]
fn a_waker_that_panics_does_no_harm() {
    struct Rude(Counter);

    impl Wake for Rude {
        fn wake(self: Arc<Self>) {
            self.0.add();
            panic!("not waking anybody");
        }
    }

    for_workers(|pool, _| {
        let (door, woken) = (Door::new(), Counter::new());
        let inside = door.clone();
        let mut handle = Box::pin(submit(
            pool,
            bodies(Raise),
            (Box::new(move || {
                inside.wait();
                Ok(1)
            }),),
        ));
        let waker = Waker::from(Arc::new(Rude(woken.clone())));
        assert!(
            handle
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        door.open();
        woken.wait_for(1);
        assert_eq!(block_on(handle).unwrap(), 1);
        assert_eq!(
            submit(pool, numbers(Raise, double), (1,)).join().unwrap(),
            2
        );
    });
}

#[test]
fn awaiting_on_a_thread_of_the_pool_runs_the_queued_task_there() {
    for workers in WORKERS {
        no_hang(|| {
            let pool: &'static TaskPool = Box::leak(Box::new(pool(workers)));
            let outer = submit(
                pool,
                bodies(Raise),
                (Box::new(move || {
                    let inner = submit(pool, numbers(Raise, double), (4,));
                    block_on(inner).map_err(|error| Oops(error.to_string()))
                }),),
            );
            assert_eq!(outer.join().unwrap(), 8);
        });
    }
}
