//! Loom's atomics, one of whose orderings can be weakened without building anew: `.ci/checks/orderings` asks the models
//! whether they notice.

use std::panic::Location;
use std::sync::LazyLock;

use loom::sync::atomic;
pub(crate) use loom::sync::atomic::Ordering;

/// What is asked for: the accesses on one line, as `gate.rs:44`, or `path/to/gate.rs:44`, are relaxed.
static RELAXED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
    let place = std::env::var("FUTUREPROOF_RELAXED").ok()?;
    let (file, line) = place.split_once(':').expect("a file and a line");
    Some((file.to_owned(), line.parse().expect("a number of a line")))
});

fn relaxed_at(ordering: Ordering, place: &Location<'_>) -> Ordering {
    match &*RELAXED {
        Some((file, line)) if *line == place.line() && place.file().ends_with(file) => {
            Ordering::Relaxed
        }
        _ => ordering,
    }
}

macro_rules! atomics {
    ($($name:ident($type:ty) { $($method:ident($($argument:ident: $of:ty),*) -> $result:ty;)* })*) => {$(
        #[derive(Debug, Default)]
        pub(crate) struct $name(atomic::$name);

        impl $name {
            pub(crate) fn new(value: $type) -> Self {
                Self(atomic::$name::new(value))
            }

            #[track_caller]
            pub(crate) fn load(&self, ordering: Ordering) -> $type {
                self.0.load(relaxed_at(ordering, Location::caller()))
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $type, ordering: Ordering) {
                self.0.store(value, relaxed_at(ordering, Location::caller()));
            }

            $(#[track_caller]
            pub(crate) fn $method(&self, $($argument: $of,)* ordering: Ordering) -> $result {
                self.0.$method($($argument,)* relaxed_at(ordering, Location::caller()))
            })*
        }
    )*};
}

atomics! {
    AtomicBool(bool) {
        swap(value: bool) -> bool;
    }
    AtomicU8(u8) {}
    AtomicU64(u64) {
        fetch_add(value: u64) -> u64;
        fetch_sub(value: u64) -> u64;
    }
    AtomicUsize(usize) {
        fetch_add(value: usize) -> usize;
        fetch_sub(value: usize) -> usize;
        fetch_min(value: usize) -> usize;
        fetch_or(value: usize) -> usize;
    }
}

impl AtomicUsize {
    #[track_caller]
    pub(crate) fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        f: impl FnMut(usize) -> Option<usize>,
    ) -> Result<usize, usize> {
        let place = Location::caller();
        let (set, fetch) = (relaxed_at(set, place), relaxed_at(fetch, place));
        self.0.fetch_update(set, fetch, f)
    }

    #[track_caller]
    pub(crate) fn compare_exchange_weak(
        &self,
        current: usize,
        new: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        let place = Location::caller();
        let (success, failure) = (relaxed_at(success, place), relaxed_at(failure, place));
        self.0.compare_exchange_weak(current, new, success, failure)
    }

    pub(crate) fn into_inner(self) -> usize {
        self.0.into_inner()
    }
}

impl AtomicU64 {
    pub(crate) fn into_inner(self) -> u64 {
        self.0.into_inner()
    }
}
