//! Virtual time, and threads that wait for it or for one another.

use std::future::poll_fn;
use std::ops::{Add, Sub};
use std::sync::PoisonError;
use std::task::{Poll, Waker};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::rand::{Rng as _, thread_rng};

use super::{Arc, Ordering, one_in};

/// When executions begin, in nanoseconds: what came before is long enough ago for any limit.
const BEGINNING: u64 = 1 << 50;
/// What a look at the clock takes.
const TICK: u64 = 1_000;

/// A thread that waits, until it is told why it does not any more: by the first who has something to tell.
#[derive(Clone, Default)]
pub(super) struct Waiter(Arc<std::sync::Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    over: Option<Wake>,
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    Notified,
    TimedOut,
}

impl Waiter {
    fn state(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waits(&self) -> bool {
        self.state().over.is_none()
    }

    /// Wakes it, if nobody has before. No thread is scheduled meanwhile.
    pub(super) fn wake(&self, why: Wake) {
        let mut state = self.state();
        if state.over.is_none() {
            state.over = Some(why);
            let waker = state.waker.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    pub(super) fn wait(&self) -> Wake {
        // Not shuttle's `park`: it returns whenever the scheduler likes, which is far too often.
        block_on(poll_fn(|context| {
            let mut state = self.state();
            state.waker = Some(context.waker().clone());
            state.over.map_or(Poll::Pending, Poll::Ready)
        }))
    }
}

/// A moment of virtual time, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    pub fn now() -> Self {
        Self(TIME.now.fetch_add(TICK, Ordering::SeqCst) + TICK)
    }

    pub fn elapsed(self) -> Duration {
        Self::now() - self
    }

    pub fn checked_add(self, time: Duration) -> Option<Self> {
        let nanos = u64::try_from(time.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Self)
    }

    pub fn checked_sub(self, time: Duration) -> Option<Self> {
        let nanos = u64::try_from(time.as_nanos()).ok()?;
        self.0.checked_sub(nanos).map(Self)
    }

    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Nanoseconds since some moment.
    pub fn nanos(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        self.checked_add(time).expect("time goes on for long")
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// The time of one execution.
pub(super) struct Time {
    now: std::sync::atomic::AtomicU64,
    sleepers: std::sync::Mutex<Vec<(Instant, Waiter)>>,
    /// Does somebody let time pass? And how to wake who does, when there is nobody to wait for it.
    passes: std::sync::atomic::AtomicBool,
    idle: std::sync::Mutex<Option<Waker>>,
    /// How often it hesitates: time may be short or long against what the others do.
    patience: u32,
}

shuttle::lazy_static! {
    pub(super) static ref TIME: Time = Time {
        now: std::sync::atomic::AtomicU64::new(BEGINNING),
        sleepers: std::sync::Mutex::new(Vec::new()),
        passes: std::sync::atomic::AtomicBool::new(false),
        idle: std::sync::Mutex::new(None),
        patience: [1, 4, 16, 64, 256][thread_rng().gen_range(0..5)],
    };
}

impl Time {
    pub(super) fn wake_at(&'static self, moment: Instant, waiter: &Waiter) {
        self.sleepers().push((moment, waiter.clone()));
        if !self.passes.swap(true, Ordering::SeqCst) {
            // Not as a thread: an execution is over only when all of them have ended.
            drop(shuttle::future::spawn(self.pass()));
        }
        self.idle().take().into_iter().for_each(Waker::wake);
    }

    /// Lets time pass while somebody waits for it.
    async fn pass(&self) {
        loop {
            let first = poll_fn(|context| {
                let mut sleepers = self.sleepers();
                sleepers.retain(|(_, waiter)| waiter.waits());
                *self.idle() = Some(context.waker().clone());
                let first = sleepers.iter().min_by_key(|(moment, _)| *moment);
                first.cloned().map_or(Poll::Pending, Poll::Ready)
            });
            let (moment, waiter) = first.await;
            if one_in(self.patience) {
                self.now.fetch_max(moment.0, Ordering::SeqCst);
                waiter.wake(Wake::TimedOut);
            }
            shuttle::future::yield_now().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleepers(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Waiter)>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
