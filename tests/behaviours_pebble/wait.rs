//! Waiting for several tasks: Pebble 52.

use std::time::Duration;

use futureproof::{AnyTaskHandle, Until, task_pool, wait, wait_timeout};

use crate::python_kit::{Counter, guarded};

/// Pebble 52
#[test]
fn one_of_several_all_of_them_or_none_in_time() {
    static GATES: [Counter; 3] = [const { Counter::new() }; 3];

    #[task_pool(workers = 3)]
    fn gated(n: usize) -> usize {
        GATES[n].wait_for(1);
        n
    }

    #[task_pool(workers = 1)]
    fn another(text: &str) -> String {
        GATES[0].wait_for(1);
        text.to_owned()
    }

    guarded(|| {
        let handles = [0, 1, 2].map(gated::submit);
        let waited = wait_timeout(&handles, Until::First, Duration::from_millis(20));
        assert_eq!((waited.finished, waited.pending), (vec![], vec![0, 1, 2]));
        GATES[1].add();
        let waited = wait(&handles, Until::First);
        assert_eq!((waited.finished, waited.pending), (vec![1], vec![0, 2]));

        GATES[0].add();
        GATES[2].add();
        let text = another::submit("text");
        let mixed: [&dyn AnyTaskHandle; 4] = [&handles[0], &text, &handles[1], &handles[2]];
        let waited = wait(mixed, Until::All);
        assert_eq!(
            (waited.finished, waited.pending),
            (vec![0, 1, 2, 3], vec![])
        );
        assert_eq!(handles.map(|handle| handle.join().unwrap()), [0, 1, 2]);
        assert_eq!(text.join().unwrap(), "text");
    });
}
