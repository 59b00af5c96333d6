//! What the crate uses of `std::thread`, and values of threads.

use std::cell::{Cell, RefCell};
use std::io;
use std::marker::PhantomData;

pub(crate) use shuttle::thread::current;

pub(crate) use super::panic::panicking;

use super::{Arc, AtomicBool, Ordering, one_in};

shuttle::lazy_static! {
    static ref THREADS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
}

/// How many threads the crate has started in this execution that have not ended.
pub fn running() -> usize {
    THREADS.load(Ordering::SeqCst)
}

/// Larger stacks than this are a fault that is asked for; it strikes every other time.
const LARGEST_STACK: usize = 1 << 40;

#[derive(Debug)]
pub(crate) struct Builder {
    builder: shuttle::thread::Builder,
    fails: bool,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            builder: shuttle::thread::Builder::new(),
            fails: false,
        }
    }

    pub(crate) fn name(mut self, name: String) -> Self {
        self.builder = self.builder.name(name);
        self
    }

    pub(crate) fn stack_size(mut self, bytes: usize) -> Self {
        self.fails = bytes > LARGEST_STACK && one_in(2);
        self
    }

    pub(crate) fn spawn<T: Send + 'static>(
        self,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        if self.fails {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let finished = Arc::new(AtomicBool::new(false));
        let ends = finished.clone();
        THREADS.fetch_add(1, Ordering::SeqCst);
        let handle = self.builder.spawn(move || {
            let result = run();
            ends.store(true, Ordering::SeqCst);
            THREADS.fetch_sub(1, Ordering::SeqCst);
            result
        })?;
        Ok(JoinHandle { handle, finished })
    }
}

#[derive(Debug)]
pub(crate) struct JoinHandle<T> {
    handle: shuttle::thread::JoinHandle<T>,
    finished: Arc<AtomicBool>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn join(self) -> std::thread::Result<T> {
        self.handle.join()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    pub(crate) fn thread(&self) -> &shuttle::thread::Thread {
        self.handle.thread()
    }
}

/// As the standard library's, for values that are constants.
macro_rules! local {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = const { $init:expr };)*) => {
        $($(#[$attribute])* static $name: $crate::sync::LocalKey<$type> =
            $crate::sync::LocalKey::new(|| $init);)*
    };
}

pub(crate) use local as thread_local;

/// What a thread has for itself.
#[derive(Debug)]
pub struct LocalKey<T: 'static>(shuttle::thread::LocalKey<T>);

impl<T: 'static> LocalKey<T> {
    pub const fn new(init: fn() -> T) -> Self {
        Self(shuttle::thread::LocalKey {
            init,
            _p: PhantomData,
        })
    }

    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(f)
    }

    pub fn try_with<R>(
        &'static self,
        f: impl FnOnce(&T) -> R,
    ) -> Result<R, shuttle::thread::AccessError> {
        self.0.try_with(f)
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    pub fn set(&'static self, value: T) {
        drop(self.with(|cell| cell.replace(value)));
    }

    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }
}
